// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/batch_norm.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/cpu/rowwise.h"
#include "libtorch/bf16.h"
#include "libtorch/parallel.h"

namespace motley::kernels {

MOTLEY_CHOOSE(batch_norm, BatchNormKernels)

namespace {

template <typename T>
const BatchNormLoops<T>& loops();
template <>
const BatchNormLoops<float>& loops<float>() {
  return batch_norm_kernels().f32;
}
template <>
const BatchNormLoops<bf16>& loops<bf16>() {
  return batch_norm_kernels().b16;
}

// How a sum over rows is cut: by the shape alone, so that its order never depends on the number of threads.
struct Cut {
  static constexpr int64_t kChunks = 16, kRows = 16, kWide = 512, kColumns = 64;
  int64_t rows, channels;              // of the whole
  int64_t chunk_rows, chunk_channels;  // of one piece
  int64_t row_chunks, channel_chunks;

  Cut(int64_t rows_, int64_t channels_) : rows(rows_), channels(channels_) {
    const bool wide = channels >= kWide;  // enough channels to share out: no partial sums to add up
    chunk_rows = wide ? rows : ((rows + kChunks - 1) / kChunks + kRows - 1) / kRows * kRows;
    chunk_channels = wide ? kColumns : channels;
    row_chunks = (rows + chunk_rows - 1) / chunk_rows;
    channel_chunks = (channels + chunk_channels - 1) / chunk_channels;
  }

  // Runs piece(first row, rows, first channel, channels, a, b) over all pieces and adds up the two sums.
  template <typename Piece>
  void sum(double* a, double* b, const Piece& piece) const {
    std::vector<double> partial(static_cast<size_t>(2 * row_chunks * channels), 0.0);
    parallel_for(row_chunks * channel_chunks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t row = i / channel_chunks * chunk_rows, channel = i % channel_chunks * chunk_channels;
        double* to = partial.data() + 2 * (i / channel_chunks) * channels + channel;
        piece(row, std::min(chunk_rows, rows - row), channel, std::min(chunk_channels, channels - channel), to, to + channels);
      }
    });
    std::copy_n(partial.data(), channels, a);
    std::copy_n(partial.data() + channels, channels, b);
    for (int64_t chunk = 1; chunk < row_chunks; ++chunk) {
      const double* from = partial.data() + 2 * chunk * channels;
      for (int64_t c = 0; c < channels; ++c) a[c] += from[c], b[c] += from[channels + c];
    }
  }
};

constexpr int64_t kGrain = 1 << 14;  // elements worth a thread

}  // namespace

template <typename T>
void batch_moments(const T* x, int64_t rows, int64_t channels, double* mean, double* variance) {
  // Sums of x minus the first row: no digits are lost when a channel's mean is large beside its spread.
  std::vector<float> origin(static_cast<size_t>(channels));
  for (int64_t c = 0; c < channels; ++c) origin[static_cast<size_t>(c)] = to_float(x[c]);
  const auto moments = loops<T>().moments;
  Cut(rows, channels).sum(mean, variance, [&](int64_t row, int64_t n, int64_t c, int64_t width, double* s, double* q) {
    moments(x + row * channels + c, n, width, channels, origin.data() + c, s, q);
  });
  const double n = static_cast<double>(rows);
  for (int64_t c = 0; c < channels; ++c) {
    const double m = mean[c] / n;
    variance[c] = std::max(variance[c] / n - m * m, 0.0);
    mean[c] = m + static_cast<double>(origin[static_cast<size_t>(c)]);
  }
}

void batch_norm_fold(int64_t channels, const float* gamma, const float* beta, const float* mean, const float* invstd, float* scale,
                     float* shift) {
  for (int64_t c = 0; c < channels; ++c) {
    scale[c] = gamma[c] * invstd[c];
    shift[c] = beta[c] - mean[c] * scale[c];
  }
}

template <typename T>
void batch_norm_apply(const T* x, int64_t rows, int64_t channels, const float* scale, const float* shift, const T* residual,
                      Activation activation, T* y, uint8_t* bits) {
  const auto apply = loops<T>().apply;
  parallel_for(rows, std::max<int64_t>(1, kGrain / channels), [&](int64_t begin, int64_t end) {
    const int64_t at = begin * channels;
    apply(x + at, end - begin, channels, scale, shift, residual ? residual + at : nullptr, activation, y + at,
          bits ? bits + begin * gate_pitch(channels) : nullptr);
  });
}

template <typename T>
void batch_norm_backward(const T* dy, const T* x, int64_t rows, int64_t channels, const float* gamma, const float* beta, const float* mean,
                         const float* invstd, Gate gate, const uint8_t* bits, float* dgamma, float* dbeta, T* dx, T* dresidual) {
  const auto width = static_cast<size_t>(channels);
  std::vector<float> scale(width), shift(width), centre(width), slope(width);
  batch_norm_fold(channels, gamma, beta, mean, invstd, scale.data(), shift.data());
  const int64_t bits_pitch = gate_pitch(channels);
  std::vector<double> sum(width), products(width);
  const auto sums = loops<T>().sums;
  Cut(rows, channels).sum(sum.data(), products.data(), [&](int64_t row, int64_t n, int64_t c, int64_t w, double* s, double* p) {
    const BatchNormSums how{mean + c, scale.data() + c, shift.data() + c};
    const int64_t at = row * channels + c;
    sums(dy + at, x + at, n, w, channels, gate, bits ? bits + row * bits_pitch + c / 8 : nullptr, bits_pitch, how, s, p);
  });
  const double n = static_cast<double>(rows);
  for (size_t c = 0; c < width; ++c) {
    const double over_std = invstd[c];
    dbeta[c] = static_cast<float>(sum[c]);
    dgamma[c] = static_cast<float>(products[c] * over_std);
    centre[c] = static_cast<float>(-static_cast<double>(scale[c]) * sum[c] / n);
    slope[c] = static_cast<float>(-static_cast<double>(scale[c]) * over_std * over_std * products[c] / n);
  }
  const BatchNormGradient how{mean, scale.data(), shift.data(), centre.data(), slope.data()};
  const auto gradient = loops<T>().gradient;
  parallel_for(rows, std::max<int64_t>(1, kGrain / channels), [&](int64_t begin, int64_t end) {
    const int64_t at = begin * channels;
    gradient(dy + at, x + at, end - begin, channels, gate, bits ? bits + begin * bits_pitch : nullptr, how, dx + at,
             dresidual ? dresidual + at : nullptr);
  });
}

#define MOTLEY_INSTANTIATE(T)                                                                                                              \
  template void batch_moments<T>(const T*, int64_t, int64_t, double*, double*);                                                            \
  template void batch_norm_apply<T>(const T*, int64_t, int64_t, const float*, const float*, const T*, Activation, T*, uint8_t*);           \
  template void batch_norm_backward<T>(const T*, const T*, int64_t, int64_t, const float*, const float*, const float*, const float*, Gate, \
                                       const uint8_t*, float*, float*, T*, T*);
MOTLEY_INSTANTIATE(float)
MOTLEY_INSTANTIATE(bf16)
#undef MOTLEY_INSTANTIATE

namespace reference {

void batch_norm(const double* x, int64_t rows, int64_t channels, const double* gamma, const double* beta, double eps,
                const double* residual, Activation activation, double* y, double* mean, double* variance) {
  for (int64_t c = 0; c < channels; ++c) {
    double m = 0, v = 0;
    for (int64_t r = 0; r < rows; ++r) m += x[r * channels + c];
    m /= static_cast<double>(rows);
    for (int64_t r = 0; r < rows; ++r) v += (x[r * channels + c] - m) * (x[r * channels + c] - m);
    v /= static_cast<double>(rows);
    mean[c] = m;
    variance[c] = v;
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t i = r * channels + c;
      const double z = gamma[c] * (x[i] - m) / std::sqrt(v + eps) + beta[c] + (residual ? residual[i] : 0.0);
      y[i] = activation == Activation::none ? z : activation == Activation::relu ? std::max(z, 0.0) : hard_swish(z);
    }
  }
}

void batch_norm_backward(const double* dy, const double* x, int64_t rows, int64_t channels, const double* gamma, const double* beta,
                         double eps, const double* residual, Activation activation, double* dgamma, double* dbeta, double* dx, double* dz) {
  const auto size = static_cast<size_t>(rows * channels);
  std::vector<double> y(size), mean(static_cast<size_t>(channels)), variance(static_cast<size_t>(channels));
  batch_norm(x, rows, channels, gamma, beta, eps, residual, Activation::none, y.data(), mean.data(), variance.data());
  const double n = static_cast<double>(rows);
  for (int64_t c = 0; c < channels; ++c) {
    const double m = mean[static_cast<size_t>(c)], invstd = 1 / std::sqrt(variance[static_cast<size_t>(c)] + eps);
    dgamma[c] = dbeta[c] = 0;
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t i = r * channels + c;
      const double z = y[static_cast<size_t>(i)];
      dz[i] = dy[i] * (activation == Activation::none ? 1.0 : activation == Activation::relu ? (z > 0 ? 1.0 : 0.0) : hard_swish_slope(z));
      dbeta[c] += dz[i];
      dgamma[c] += dz[i] * (x[i] - m) * invstd;
    }
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t i = r * channels + c;
      dx[i] = gamma[c] * invstd * (dz[i] - dbeta[c] / n - (x[i] - m) * invstd * dgamma[c] / n);
    }
  }
}

}  // namespace reference
}  // namespace motley::kernels
