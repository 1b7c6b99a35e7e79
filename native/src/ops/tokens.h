// SPDX-License-Identifier: Apache-2.0
// How pictures become the sequences of a transformer. All of it is differentiable.
#pragma once

#include "libtorch/tensor.h"

namespace motley::ops {

/// x (N, S, S, C) -> (N, (S / p)^2, p * p * C): its patches row by row, each as its pixels row by row. S is a multiple of p.
Tensor patches(const Tensor& x, int64_t p);

/// x (N, P, D) -> (N, 1 + P, D): the class token, then those of x, each plus its position. class_token (1, D) and positions
/// (1 + P, D) are float32.
Tensor embed_tokens(const Tensor& x, const Tensor& class_token, const Tensor& positions);

/// x (N, T, D) -> the first token of each image, (N, D).
Tensor first_tokens(const Tensor& x);

}  // namespace motley::ops
