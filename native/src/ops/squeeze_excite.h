// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "libtorch/tensor.h"

namespace motley::ops {

/// A squeeze-and-excitation layer of C channels, squeezed to S: 1x1 convolutions in f32.
struct SqueezeExcite {
  Tensor squeeze_weight, squeeze_bias;  // (S, 1, 1, C), (S)
  Tensor excite_weight, excite_bias;    // (C, 1, 1, S), (C)
};

/// x times hard_sigmoid(excite(relu(squeeze(mean of x)))), for each image and channel (Hu et al. 2017, as MobileNetV3 has it).
/// x (N, H, W, C) of f32 or bf16; what lies between is f32. Differentiable in x and in the weights.
Tensor squeeze_excite(const Tensor& x, const SqueezeExcite& layer);

}  // namespace motley::ops
