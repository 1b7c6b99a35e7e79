// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "libtorch/tensor.h"

namespace motley::ops {

/// x in another element type (f32, bf16 or f16), x itself if it has it. Differentiable: the gradient is cast back.
Tensor cast(const Tensor& x, DType dtype);

}  // namespace motley::ops
