// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/cpu/cross_entropy.h"
#include "libtorch/tensor.h"

namespace motley::ops {

struct Loss {
  double sum = 0;       // of the losses of all rows
  int64_t correct = 0;  // rows whose first largest logit is the label's, of mixed images that of the larger share
  Tensor gradient;      // d(mean loss) / d(logits), (N, classes)
};

/// Softmax cross-entropy of logits (N, classes) f32 against targets (N), with label smoothing as torch's.
Loss cross_entropy(const Tensor& logits, const kernels::Targets& targets, double smoothing);

}  // namespace motley::ops
