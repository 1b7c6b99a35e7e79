// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/mixup.h"

#include "kernels/cpu/vec.h"

namespace motley::kernels::MOTLEY_ISA {
namespace {

void mix(const float* image, const float* other, int64_t n, float share, float* out) {
  const float rest = 1 - share;
  for_each_vector(n, [&]<bool kWhole>(int64_t i, int64_t k) {
    put<kWhole>(out + i, get<kWhole>(image + i, k) * share + get<kWhole>(other + i, k) * rest, k);
  });
}

}  // namespace

const MixupKernels& mixup_kernels() {
  static constexpr MixupKernels kernels{mix};
  return kernels;
}

}  // namespace motley::kernels::MOTLEY_ISA
