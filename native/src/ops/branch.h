// SPDX-License-Identifier: Apache-2.0
// Residual branches with layer scale (Touvron et al. 2021) and stochastic depth (Huang et al. 2016, by image). A branch that an
// image leaves out is not computed for it: what is left of the batch goes through the branch by itself.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "libtorch/tensor.h"
#include "ops/stochastic.h"

namespace motley::ops {

/// The images of a batch that take a branch, and what its results are multiplied with for them.
struct Kept {
  std::shared_ptr<const std::vector<int64_t>> images;  // in order; null: all
  float factor = 1;

  /// Of n images each is left out with probability p; with randomness only.
  static Kept draw(int64_t n, double p, const std::optional<Randomness>& random, uint32_t layer);
  bool all() const { return images == nullptr; }
  bool none() const { return images != nullptr && images->empty(); }
};

/// The kept images of x (N, ...); x itself if all are. Differentiable.
Tensor take(const Tensor& x, const Kept& kept);

/// x (N, ..., C) plus, for the kept images, branch * scale (C) * factor; branch as take(x) in shape. Takes over branch: its gradient is
/// written over its values. Differentiable in x, branch and scale.
Tensor add_branch(const Tensor& x, Tensor&& branch, const Tensor& scale, const Kept& kept);

}  // namespace motley::ops
