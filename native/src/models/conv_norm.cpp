// SPDX-License-Identifier: Apache-2.0
#include "models/conv_norm.h"

#include <cmath>

#include "libtorch/parallel.h"
#include "ops/cast.h"
#include "ops/depthwise.h"
#include "ops/tape.h"

namespace motley {

Tensor ConvNorm::folded(const Tensor& x, ops::Activation activation, const Tensor& residual) const {
  if (kind_ == Kind::depthwise) return ops::depthwise_conv2d(x, folded_depthwise_, how_.stride, folded_bias_, activation);
  return ops::conv2d(x, folded_, how_, {folded_bias_, {}, residual, activation});
}

Tensor ConvNorm::operator()(const Tensor& x, ops::Statistics statistics, ops::Activation activation, const Tensor& residual) const {
  ensure(kind_ == Kind::full || !residual, "a depthwise convolution with a residual");
  if (statistics == ops::Statistics::running) return folded(x, activation, residual);
  if (kind_ == Kind::depthwise) return ops::batch_norm(ops::depthwise_conv2d(x, weight_, how_.stride), norm_, statistics, activation);
  // Training keeps the master weights in f32 beside activations of either type: their gradients are f32, too.
  const Tensor weight = Tape::current() != nullptr ? weight_ : ops::cast(weight_, compute_);
  return ops::batch_norm(ops::conv2d(x, weight, how_), norm_, statistics, activation, residual);
}

// y = conv(x) * scale + shift, per output channel
void ConvNorm::fold() {
  const int64_t out = weight_.size(0), per = weight_.numel() / out;
  const Tensor w = Tensor::empty(weight_.shape());
  folded_bias_ = Tensor::empty({out});
  const float *from = weight_.data<float>(), *gamma = norm_.weight.data<float>(), *beta = norm_.bias.data<float>();
  const float *mean = norm_.running_mean.data<float>(), *var = norm_.running_var.data<float>();
  float *to = w.data<float>(), *bias = folded_bias_.data<float>();
  parallel_for(out, 1 + (1 << 15) / per, [&](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; ++o) {
      const double scale = gamma[o] / std::sqrt(var[o] + norm_.eps);
      for (int64_t i = o * per; i < (o + 1) * per; ++i) to[i] = static_cast<float>(from[i] * scale);
      bias[o] = static_cast<float>(beta[o] - mean[o] * scale);
    }
  });
  if (kind_ == Kind::depthwise) {
    folded_depthwise_ = w;
  } else {
    folded_ = ops::Weight(w.to(compute_));
  }
}

}  // namespace motley
