// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/rowwise.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/cpu/isa.h"
#include "kernels/cpu/product.h"
#include "kernels/cpu/scratch.h"
#include "libtorch/parallel.h"

namespace motley::kernels {

MOTLEY_CHOOSE(rowwise, RowwiseKernels)

namespace {

// Rows whose parameter gradients are summed together: few, so that float32 holds their sums, and by the shape alone.
int64_t chunk_rows(int64_t rows) {
  constexpr int64_t kChunks = 16, kFewest = 8, kMost = 64, kTogether = 4;
  return std::clamp(whole(up(rows, kChunks), kTogether), kFewest, kMost);
}

}  // namespace

template <typename T>
void layer_norm_backward(const T* dy, const T* x, int64_t rows, int64_t width, const float* weight, const float* moments, const T* added,
                         T* dx, float* dweight, float* dbias) {
  const int64_t each = chunk_rows(rows), chunks = up(rows, each);
  const Scratch sums(2 * chunks * width);  // of weight, then of bias: (chunks, width) each
  parallel_for(chunks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i * each, at = first * width;
      float* to = sums.data() + i * width;
      rowwise_functions<T>().layer_norm_backward(dy + at, x + at, std::min(each, rows - first), width, weight, moments + 2 * first,
                                                 added == nullptr ? nullptr : added + at, dx + at, to, to + chunks * width);
    }
  });
  sum_rows(sums.data(), chunks, width, dweight);
  sum_rows(sums.data() + chunks * width, chunks, width, dbias);
}

#define MOTLEY_INSTANTIATE(T) \
  template void layer_norm_backward<T>(const T*, const T*, int64_t, int64_t, const float*, const float*, const T*, T*, float*, float*);
MOTLEY_INSTANTIATE(float)
MOTLEY_INSTANTIATE(bf16)
MOTLEY_INSTANTIATE(half)
#undef MOTLEY_INSTANTIATE

namespace reference {

void layer_norm(const float* x, double* y, int64_t rows, int64_t width, double eps, const float* weight, const float* bias) {
  for (int64_t r = 0; r < rows; ++r, x += width, y += width) {
    double mean = 0, variance = 0;
    for (int64_t c = 0; c < width; ++c) mean += x[c] / static_cast<double>(width);
    for (int64_t c = 0; c < width; ++c) variance += (x[c] - mean) * (x[c] - mean) / static_cast<double>(width);
    for (int64_t c = 0; c < width; ++c) y[c] = (x[c] - mean) / std::sqrt(variance + eps) * weight[c] + bias[c];
  }
}

void layer_norm_backward(const double* dy, const double* x, int64_t rows, int64_t width, double eps, const double* weight, double* dx,
                         double* dweight, double* dbias) {
  const auto n = static_cast<double>(width);
  std::fill_n(dweight, width, 0.0);
  std::fill_n(dbias, width, 0.0);
  for (int64_t r = 0; r < rows; ++r, dy += width, x += width, dx += width) {
    double mean = 0, variance = 0, sum = 0, products = 0;
    for (int64_t c = 0; c < width; ++c) mean += x[c] / n;
    for (int64_t c = 0; c < width; ++c) variance += (x[c] - mean) * (x[c] - mean) / n;
    const double rstd = 1 / std::sqrt(variance + eps);
    for (int64_t c = 0; c < width; ++c) {
      const double normalised = (x[c] - mean) * rstd;
      sum += dy[c] * weight[c];
      products += dy[c] * weight[c] * normalised;
      dweight[c] += dy[c] * normalised;
      dbias[c] += dy[c];
    }
    for (int64_t c = 0; c < width; ++c) dx[c] = rstd * (dy[c] * weight[c] - sum / n - (x[c] - mean) * rstd * products / n);
  }
}

double gelu(double x) { return 0.5 * x * std::erfc(-x * 0.70710678118654752440); }
double gelu_slope(double x) { return 0.5 * std::erfc(-x * 0.70710678118654752440) + x * std::exp(-0.5 * x * x) * 0.39894228040143267794; }
double quick_gelu(double x) { return x / (1 + std::exp(-1.702 * x)); }
double silu(double x) { return x / (1 + std::exp(-x)); }
double hard_swish(double x) { return x * std::clamp(x + 3, 0.0, 6.0) / 6; }
double hard_swish_slope(double x) { return x < -3 ? 0.0 : x <= 3 ? x / 3 + 0.5 : 1.0; }

}  // namespace reference
}  // namespace motley::kernels
