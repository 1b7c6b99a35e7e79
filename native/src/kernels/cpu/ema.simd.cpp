// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/ema.h"

#include "kernels/cpu/vec.h"

namespace motley::kernels::MOTLEY_ISA {
namespace {

void update(float* average, const float* weight, int64_t n, float share) {
  for_each_vector(n, [&]<bool kWhole>(int64_t i, int64_t k) {
    const Vec a = get<kWhole>(average + i, k), w = get<kWhole>(weight + i, k);
    put<kWhole>(average + i, a + (w - a) * share, k);
  });
}

}  // namespace

const EmaKernels& ema_kernels() {
  static constexpr EmaKernels kernels{update};
  return kernels;
}

}  // namespace motley::kernels::MOTLEY_ISA
