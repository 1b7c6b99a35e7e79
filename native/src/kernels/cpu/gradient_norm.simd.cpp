// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/gradient_norm.h"

#include "kernels/cpu/vec.h"

namespace motley::kernels::MOTLEY_ISA {
namespace {

double sum_of_squares(const float* values, int64_t n) {
  constexpr int kSums = 4;  // beside each other: a sum waits for its last addition
  DVec sums[kSums] = {};
  const auto add = [&]<bool kWhole>(DVec& sum, int64_t i, int64_t k) {
    const DVec v = __builtin_convertvector(get<kWhole>(values + i, k), DVec);
    sum += v * v;
  };
  int64_t i = 0;
  for (; i + kSums * kLanes <= n; i += kSums * kLanes) {
    for (int s = 0; s < kSums; ++s) add.template operator()<true>(sums[s], i + s * kLanes, kLanes);
  }
  for_each_vector(n - i, [&]<bool kWhole>(int64_t j, int64_t k) { add.template operator()<kWhole>(sums[0], i + j, k); });
  const DVec all = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  double total = 0;
  for (int lane = 0; lane < kLanes; ++lane) total += all[lane];
  return total;
}

}  // namespace

const GradientNormKernels& gradient_norm_kernels() {
  static constexpr GradientNormKernels kernels{sum_of_squares};
  return kernels;
}

}  // namespace motley::kernels::MOTLEY_ISA
