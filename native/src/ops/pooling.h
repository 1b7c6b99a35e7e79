// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "libtorch/tensor.h"

namespace motley::ops {

/// MaxPool2d(3, stride 2, padding 1): x (N, H, W, C) of f32 or bf16 -> (N, OH, OW, C). Differentiable.
Tensor max_pool(const Tensor& x);

/// Every second pixel, from the first on, with `channels` channels: x's in the middle, zeros on both sides. (N, H, W, C) ->
/// (N, OH, OW, channels), sizes rounded up. Differentiable.
Tensor thinned(const Tensor& x, int64_t channels);

/// AdaptiveAvgPool2d(1): x (N, H, W, C) -> (N, C). Differentiable.
Tensor global_average_pool(const Tensor& x);

}  // namespace motley::ops
