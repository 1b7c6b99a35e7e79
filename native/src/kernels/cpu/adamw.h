// SPDX-License-Identifier: Apache-2.0
// AdamW over many tensors at once (Loshchilov and Hutter 2019, with the roundings of torch.optim.AdamW):
//   p *= 1 - lr * decay;  m += (g - m) (1 - beta1);  v = beta2 v + (1 - beta2) g^2
//   p -= lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
// One pass: reads p, g, m, v and writes p, m, v, 28 bytes per parameter.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/cpu/isa.h"

namespace motley::kernels {

struct AdamwStep {
  double learning_rate, beta1, beta2, epsilon, decay;
  int64_t step;               // t, from 1
  double gradient_scale = 1;  // that g is multiplied with first
};

/// The same, as the loop takes it.
struct AdamwFactors {
  float keep;    // 1 - lr * decay
  float blend1;  // 1 - beta1
  float beta2, blend2;
  float step_size;  // lr / (1 - beta1^t)
  float over_root;  // 1 / sqrt(1 - beta2^t)
  float epsilon;
  float scale;  // of the gradient
};
AdamwFactors adamw_factors(const AdamwStep& step);

struct AdamwTensor {
  float* parameter;
  const float* gradient;
  float* exp_avg;
  float* exp_avg_sq;
  int64_t n;
};

struct AdamwKernels {
  void (*update)(float* p, const float* g, float* m, float* v, int64_t n, const AdamwFactors& f);
};
const AdamwKernels& adamw_kernels();

/// All tensors in one parallel loop.
void adamw(const std::vector<AdamwTensor>& tensors, const AdamwStep& step);

namespace reference {
void adamw(double* p, const double* g, double* m, double* v, int64_t n, const AdamwStep& step);
}

}  // namespace motley::kernels
