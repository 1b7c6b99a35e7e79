// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/branch.h"

#include "kernels/cpu/isa.h"

namespace motley::kernels {

MOTLEY_CHOOSE(branch, BranchKernels)

namespace reference {

void branch_add(const double* x, const double* branch, int64_t rows, int64_t channels, const double* scale, double factor, double* y) {
  for (int64_t i = 0; i < rows * channels; ++i) y[i] = x[i] + branch[i] * scale[i % channels] * factor;
}

void branch_backward(const double* dy, const double* branch, int64_t rows, int64_t channels, const double* scale, double factor,
                     double* dbranch, double* sums) {
  for (int64_t c = 0; c < channels; ++c) sums[c] = 0;
  for (int64_t i = 0; i < rows * channels; ++i) {
    sums[i % channels] += dy[i] * branch[i] * factor;
    dbranch[i] = dy[i] * scale[i % channels] * factor;
  }
}

}  // namespace reference
}  // namespace motley::kernels
