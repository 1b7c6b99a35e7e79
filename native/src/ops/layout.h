// SPDX-License-Identifier: Apache-2.0
// Moves between the callers' NCHW float32 and the models' NHWC, and joins channels.
#pragma once

#include "libtorch/tensor.h"

namespace motley::ops {

/// values (n, c, h, w) float32 -> (n, h, w, c) of `dtype`.
Tensor from_nchw(const float* values, int64_t n, int64_t c, int64_t h, int64_t w, DType dtype = DType::f32);
/// (n, h, w, c) -> values (n, c, h, w) float32.
void to_nchw(const Tensor& x, float* values);

/// (N, H, W, A) and (N, H, W, B) -> (N, H, W, A + B).
Tensor concat_channels(const Tensor& a, const Tensor& b);

/// Nearest-neighbour doubling to (N, height, width, C), twice x's or one less: the last row or column is then left out.
Tensor doubled(const Tensor& x, int64_t height, int64_t width);

/// Rows [first, first + count) of the slowest dimension, sharing memory with x.
Tensor slice(const Tensor& x, int64_t first, int64_t count);

}  // namespace motley::ops
