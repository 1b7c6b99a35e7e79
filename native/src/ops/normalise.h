// SPDX-License-Identifier: Apache-2.0
// Normalisations and activations of transformers and diffusion models. Inference only, but for those that say otherwise.
#pragma once

#include "libtorch/tensor.h"
#include "ops/linear.h"

namespace motley::ops {

/// x (N, H, W, C) -> the same shape; weight and bias (C) float32. then: none or silu.
Tensor group_norm(const Tensor& x, int64_t groups, double eps, const Tensor& weight, const Tensor& bias, Activation then);

/// Over the last dimension; weight and bias float32. Differentiable.
Tensor layer_norm(const Tensor& x, double eps, const Tensor& weight, const Tensor& bias);

/// x (..., 2F) -> (..., F): first half times the exact GELU of the second.
Tensor geglu(const Tensor& x);

/// Of every element. gelu, relu and hard_swish are differentiable.
Tensor activate(const Tensor& x, Activation activation);

}  // namespace motley::ops
