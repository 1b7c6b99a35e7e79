// SPDX-License-Identifier: Apache-2.0
// Group normalisation of NHWC activations, in two passes over memory: per-channel sums, then scale + offset (+ SiLU).
#pragma once

#include <cstdint>

#include "kernels/cpu/element.h"

namespace motley::kernels {

/// x (pixels, channels), rows `stride` elements apart, of one image or a part of it.
template <typename T>
struct GroupNormFunctions {
  /// sum[c] = sum of (x - shift[c]) and square[c] = sum of (x - shift[c])^2 over the pixels; float32 within 32 pixels,
  /// float64 between. A shift near the mean keeps the variance from cancelling.
  void (*sums)(const T* x, int64_t pixels, int64_t channels, int64_t stride, const float* shift, double* sum, double* square);
  /// y = x * scale[c] + offset[c], through SiLU if asked; y is dense in its own stride.
  void (*apply)(const T* x, T* y, int64_t pixels, int64_t channels, int64_t stride, int64_t y_stride, const float* scale,
                const float* offset, bool silu);
};

using GroupNormKernels = ByElement<GroupNormFunctions>;
const GroupNormKernels& group_norm_kernels();

template <typename T>
const GroupNormFunctions<T>& group_norm_functions() {
  return group_norm_kernels().of<T>();
}

/// From the sums over all `pixels` of an image to each channel's scale and offset, in float64.
void group_norm_coefficients(int64_t pixels, int64_t channels, int64_t groups, double eps, const float* shift, const double* sum,
                             const double* square, const float* weight, const float* bias, float* scale, float* offset);

namespace reference {
/// One image x (pixels, channels) -> y, all in float64.
void group_norm(const float* x, double* y, int64_t pixels, int64_t channels, int64_t groups, double eps, const float* weight,
                const float* bias, bool silu);
}  // namespace reference

}  // namespace motley::kernels
