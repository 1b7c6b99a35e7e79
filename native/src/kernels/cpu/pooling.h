// SPDX-License-Identifier: Apache-2.0
// Pooling of NHWC activations: maximum over 3x3 windows with stride 2 and padding 1, and the mean over all pixels.
#pragma once

#include <cstdint>

#include "kernels/cpu/isa.h"
#include "libtorch/bf16.h"

namespace motley::kernels {

/// Output size of the 3x3, stride 2, padding 1 window.
inline int64_t max_pool_size(int64_t size) { return (size - 1) / 2 + 1; }

template <typename T>
struct PoolingLoops {
  /// One image: x (h, w, c) -> y (oh, ow, c) and, if not null, which tap (0..8, row-major, the first of equals) won.
  void (*max_pool)(const T* x, int64_t h, int64_t w, int64_t c, T* y, uint8_t* taps);
  /// One image: dx (h, w, c) gathered from dy (oh, ow, c); every element is written once.
  void (*max_pool_backward)(const T* dy, const uint8_t* taps, int64_t h, int64_t w, int64_t c, T* dx);
  /// One image: y (c) = mean of x (pixels, c); dx = dy / pixels.
  void (*mean)(const T* x, int64_t pixels, int64_t c, T* y);
  void (*mean_backward)(const T* dy, int64_t pixels, int64_t c, T* dx);
};

struct PoolingKernels {
  PoolingLoops<float> f32;
  PoolingLoops<bf16> b16;
};
const PoolingKernels& pooling_kernels();
template <typename T>
const PoolingLoops<T>& pooling_loops();

namespace reference {
void max_pool(const double* x, int64_t h, int64_t w, int64_t c, double* y, uint8_t* taps);
void max_pool_backward(const double* dy, const uint8_t* taps, int64_t h, int64_t w, int64_t c, double* dx);
void mean(const double* x, int64_t pixels, int64_t c, double* y);
}  // namespace reference

}  // namespace motley::kernels
