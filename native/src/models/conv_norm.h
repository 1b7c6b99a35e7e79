// SPDX-License-Identifier: Apache-2.0
// A convolution without bias and the BatchNorm behind it, as convolutional classifiers are made of them.
#pragma once

#include "ops/batch_norm.h"
#include "ops/linear.h"

namespace motley {

class ConvNorm {
 public:
  enum class Kind { full, depthwise };

  ConvNorm() = default;
  /// weight (O, K, K, I) f32, depthwise (C, K, K, 1); compute: what activations are stored as.
  ConvNorm(Tensor weight, ops::BatchNorm norm, const ops::Conv2d& how, DType compute, Kind kind = Kind::full)
      : weight_(std::move(weight)), norm_(std::move(norm)), how_(how), compute_(compute), kind_(kind) {}

  /// activation(norm(conv(x)) + residual?); a residual and hard_swish, or a depthwise convolution, do not go together. With running
  /// statistics one convolution, whose weights fold() must have made.
  Tensor operator()(const Tensor& x, ops::Statistics statistics, ops::Activation activation, const Tensor& residual = {}) const;
  /// For running statistics, anew after each change of a tensor.
  void fold();

 private:
  Tensor folded(const Tensor& x, ops::Activation activation, const Tensor& residual) const;

  Tensor weight_;
  ops::BatchNorm norm_;
  ops::Conv2d how_;
  DType compute_ = DType::f32;
  Kind kind_ = Kind::full;
  ops::Weight folded_;       // of a full convolution
  Tensor folded_depthwise_;  // f32
  Tensor folded_bias_;
};

}  // namespace motley
