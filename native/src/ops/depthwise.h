// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ops/linear.h"

namespace motley::ops {

/// One kernel for each channel: x (N, H, W, C) of f32 or bf16, w (C, K, K, 1) f32 with K 3, 5 or 7, bias (C) f32 or undefined ->
/// activation(conv(x) + bias), (N, OH, OW, C), padded by K / 2. stride 1, or 2 with K at most 5. Sums are f32. Differentiable in x, w and
/// bias when there is no activation.
Tensor depthwise_conv2d(const Tensor& x, const Tensor& w, int64_t stride = 1, const Tensor& bias = {},
                        Activation activation = Activation::none);

}  // namespace motley::ops
