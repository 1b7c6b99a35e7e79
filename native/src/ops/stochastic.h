// SPDX-License-Identifier: Apache-2.0
// What is random within a network while it trains: dropout and stochastic depth.
#pragma once

#include <optional>

#include "libtorch/tensor.h"

namespace motley::ops {

/// The random numbers of one forward pass: Philox by (seed, step, layer, element).
struct Randomness {
  uint64_t seed, step;
};

/// Inverted dropout: elements are 0 with probability p, else x / (1 - p). x itself without randomness or where p is 0.
/// layer: which of the network's random layers it is. A residual, of x's shape, is added to that. Differentiable.
Tensor dropout(const Tensor& x, double p, const std::optional<Randomness>& random, uint32_t layer, const Tensor& residual = {});

/// What dropout multiplies a tensor of that shape with: f32, 0 or 1 / (1 - p).
Tensor dropout_factors(const Shape& shape, double p, const Randomness& random, uint32_t layer);

/// For stochastic depth ("row" mode, Huang et al. 2016): a factor for each of n images, 0 with probability p, else 1 / (1 - p);
/// undefined, standing for ones, without randomness or where p is 0.
Tensor image_factors(int64_t n, double p, const std::optional<Randomness>& random, uint32_t layer);

}  // namespace motley::ops
