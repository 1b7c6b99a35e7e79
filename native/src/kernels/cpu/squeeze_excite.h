// SPDX-License-Identifier: Apache-2.0
// What a squeeze-and-excitation layer does to the activations: the mean of each channel of an image, and each channel times the
// hard sigmoid of a number. (Between the two lie dense layers.) Activations are NHWC; what stands for a channel is float32.
#pragma once

#include <cstdint>

#include "kernels/cpu/isa.h"
#include "libtorch/bf16.h"

namespace motley::kernels {

/// Of one image: x, y, dx, dy (pixels, channels); the others (channels).
template <typename T>
struct SqueezeExciteLoops {
  void (*mean)(const T* x, int64_t pixels, int64_t channels, float* mean);
  /// dx = or += dmean / pixels
  void (*mean_backward)(const float* dmean, int64_t pixels, int64_t channels, bool add, T* dx);
  /// y = x * min(max(s + 3, 0), 6) / 6
  void (*excite)(const T* x, const float* s, int64_t pixels, int64_t channels, T* y);
  /// dx may be dy.
  void (*excite_backward)(const T* dy, const T* x, const float* s, int64_t pixels, int64_t channels, T* dx, float* ds);
};

struct SqueezeExciteKernels {
  SqueezeExciteLoops<float> f32;
  SqueezeExciteLoops<bf16> b16;
};
const SqueezeExciteKernels& squeeze_excite_kernels();
template <typename T>
const SqueezeExciteLoops<T>& squeeze_excite_loops();

namespace reference {
/// In float64, of one image.
void excite(const double* x, const double* s, int64_t pixels, int64_t channels, double* y);
void excite_backward(const double* dy, const double* x, const double* s, int64_t pixels, int64_t channels, double* dx, double* ds);
}  // namespace reference

}  // namespace motley::kernels
