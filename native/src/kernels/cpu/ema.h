// SPDX-License-Identifier: Apache-2.0
// Exponential moving average of weights over many tensors at once, as torch's AveragedModel with get_ema_multi_avg_fn:
//   average += (1 - decay) * (weight - average)
// Reads both and writes one, 12 bytes per parameter.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/cpu/isa.h"

namespace motley::kernels {

struct EmaTensor {
  float* average;
  const float* weight;
  int64_t n;
};

struct EmaKernels {
  void (*update)(float* average, const float* weight, int64_t n, float share);
};
const EmaKernels& ema_kernels();

/// All tensors in one parallel loop.
void ema(const std::vector<EmaTensor>& tensors, double decay);

namespace reference {
void ema(double* average, const double* weight, int64_t n, double decay);
}

}  // namespace motley::kernels
