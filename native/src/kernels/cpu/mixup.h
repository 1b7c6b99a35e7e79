// SPDX-License-Identifier: Apache-2.0
// Mixup (Zhang et al. 2018) as torchvision's references do it: one share for a batch, drawn from Beta(alpha, alpha), and every
// image mixed with the one before it, the first with the last.
//   out = share * image + (1 - share) * other
#pragma once

#include <cstdint>

#include "kernels/cpu/isa.h"

namespace motley::kernels {

/// A share in [0, 1] from Beta(alpha, alpha): a pure function of (seed, epoch, step).
double draw_share(double alpha, uint64_t seed, uint64_t epoch, uint64_t step);

struct MixupKernels {
  void (*mix)(const float* image, const float* other, int64_t n, float share, float* out);
};
const MixupKernels& mixup_kernels();

/// images (n, values) -> out (n, values), which must be other memory.
void mixup(const float* images, int64_t n, int64_t values, double share, float* out);

namespace reference {
void mixup(const double* images, int64_t n, int64_t values, double share, double* out);
}

}  // namespace motley::kernels
