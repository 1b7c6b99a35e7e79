// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/peak.h"

#include "kernels/cpu/vec.h"

namespace motley::kernels::MOTLEY_ISA {
namespace {

constexpr int kSums = 12;  // more than a unit's latency times its rate

// Keeps the compiler from leaving out a value that nobody reads.
inline void used(Vec& v) {
#if defined(__AVX512F__)
  asm volatile("" : "+v"(v));
#else
  asm volatile("" : "+x"(v));
#endif
}

double multiply_adds(int64_t rounds) {
  Vec one = splat(1), sums[kSums] = {};
  used(one);
  for (int64_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 12
    for (int s = 0; s < kSums; ++s) {
      multiply_add(one, one, sums[s]);
      used(sums[s]);
    }
  }
  return 2.0 * kLanes * kSums * static_cast<double>(rounds);
}

}  // namespace

const PeakKernels& peak_kernels() {
  static constexpr PeakKernels kernels = {multiply_adds};
  return kernels;
}

}  // namespace motley::kernels::MOTLEY_ISA
