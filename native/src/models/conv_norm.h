// SPDX-License-Identifier: Apache-2.0
// A convolution without bias and the BatchNorm behind it, as convolutional classifiers are made of them.
#pragma once

#include "ops/batch_norm.h"
#include "ops/linear.h"

namespace motley {

class ConvNorm {
 public:
  ConvNorm() = default;
  /// weight (O, K, K, I) f32; compute: what activations are stored as.
  ConvNorm(Tensor weight, ops::BatchNorm norm, const ops::Conv2d& how, DType compute)
      : weight_(std::move(weight)), norm_(std::move(norm)), how_(how), compute_(compute) {}

  /// relu?(norm(conv(x)) + residual?). With running statistics one convolution, whose weights fold() must have made.
  Tensor operator()(const Tensor& x, ops::Statistics statistics, bool relu, const Tensor& residual = {}) const;
  /// For running statistics, anew after each change of a tensor.
  void fold();

 private:
  Tensor weight_;
  ops::BatchNorm norm_;
  ops::Conv2d how_;
  DType compute_ = DType::f32;
  ops::Weight folded_;
  Tensor folded_bias_;
};

}  // namespace motley
