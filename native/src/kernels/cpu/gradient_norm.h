// SPDX-License-Identifier: Apache-2.0
// The 2-norm of many tensors together, for clipping as torch.nn.utils.clip_grad_norm_. Squares are summed in float64, in an
// order that neither threads nor the sizes of other tensors change.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/cpu/isa.h"

namespace motley::kernels {

struct GradientTensor {
  const float* values;
  int64_t n;
};

struct GradientNormKernels {
  double (*sum_of_squares)(const float* values, int64_t n);
};
const GradientNormKernels& gradient_norm_kernels();

/// All tensors in one parallel loop.
double gradient_norm(const std::vector<GradientTensor>& tensors);

/// What torch multiplies gradients of that norm with: most / (norm + 1e-6), at most 1.
double clip_factor(double norm, double most);

namespace reference {
double sum_of_squares(const double* values, int64_t n);
}

}  // namespace motley::kernels
