// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/gradient_norm.h"

#include "kernels/cpu/vec.h"

namespace motley::kernels::MOTLEY_ISA {
namespace {

double sum_of_squares(const float* values, int64_t n) {
  DVec sums = {};
  for_each_vector(n, [&]<bool kWhole>(int64_t i, int64_t k) {
    const DVec v = __builtin_convertvector(get<kWhole>(values + i, k), DVec);
    sums += v * v;
  });
  double total = 0;
  for (int i = 0; i < kLanes; ++i) total += sums[i];
  return total;
}

}  // namespace

const GradientNormKernels& gradient_norm_kernels() {
  static constexpr GradientNormKernels kernels{sum_of_squares};
  return kernels;
}

}  // namespace motley::kernels::MOTLEY_ISA
