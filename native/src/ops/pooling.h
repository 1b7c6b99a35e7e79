// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "libtorch/tensor.h"

namespace motley::ops {

/// MaxPool2d(3, stride 2, padding 1): x (N, H, W, C) of f32 or bf16 -> (N, OH, OW, C). Differentiable.
Tensor max_pool(const Tensor& x);

/// AdaptiveAvgPool2d(1): x (N, H, W, C) -> (N, C). Differentiable.
Tensor global_average_pool(const Tensor& x);

}  // namespace motley::ops
