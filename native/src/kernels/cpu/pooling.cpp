// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/pooling.h"

#include <algorithm>
#include <limits>

namespace motley::kernels {

MOTLEY_CHOOSE(pooling, PoolingKernels)

template <>
const PoolingLoops<float>& pooling_loops<float>() {
  return pooling_kernels().f32;
}
template <>
const PoolingLoops<bf16>& pooling_loops<bf16>() {
  return pooling_kernels().b16;
}

namespace reference {

void max_pool(const double* x, int64_t h, int64_t w, int64_t c, double* y, uint8_t* taps) {
  const int64_t oh = max_pool_size(h), ow = max_pool_size(w);
  for (int64_t out = 0; out < oh * ow * c; ++out) {
    const int64_t row = out / c / ow * 2 - 1, column = out / c % ow * 2 - 1, channel = out % c;
    y[out] = -std::numeric_limits<double>::infinity();
    for (int64_t tap = 0; tap < 9; ++tap) {
      const int64_t i = row + tap / 3, j = column + tap % 3;
      if (i < 0 || j < 0 || i >= h || j >= w || !(x[(i * w + j) * c + channel] > y[out])) continue;
      y[out] = x[(i * w + j) * c + channel];
      taps[out] = static_cast<uint8_t>(tap);
    }
  }
}

void max_pool_backward(const double* dy, const uint8_t* taps, int64_t h, int64_t w, int64_t c, double* dx) {
  const int64_t oh = max_pool_size(h), ow = max_pool_size(w);
  std::fill_n(dx, h * w * c, 0.0);
  for (int64_t out = 0; out < oh * ow * c; ++out) {
    const int64_t i = out / c / ow * 2 - 1 + taps[out] / 3, j = out / c % ow * 2 - 1 + taps[out] % 3;
    dx[(i * w + j) * c + out % c] += dy[out];
  }
}

void mean(const double* x, int64_t pixels, int64_t c, double* y) {
  for (int64_t k = 0; k < c; ++k) {
    y[k] = 0;
    for (int64_t p = 0; p < pixels; ++p) y[k] += x[p * c + k];
    y[k] /= static_cast<double>(pixels);
  }
}

}  // namespace reference
}  // namespace motley::kernels
