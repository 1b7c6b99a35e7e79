// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/adamw.h"

#include "kernels/cpu/vec.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace motley::kernels::MOTLEY_ISA {
namespace {

inline Vec root(Vec v) {
#if defined(__AVX512F__)
  return (Vec)_mm512_maskz_sqrt_ps(0xffff, (__m512)v);
#elif defined(__AVX2__)
  return (Vec)_mm256_sqrt_ps((__m256)v);
#else
  for (int i = 0; i < kLanes; ++i) v[i] = __builtin_sqrtf(v[i]);
  return v;
#endif
}

struct State {
  Vec p, m, v;
};

inline State next(Vec p, Vec g, Vec m, Vec v, const AdamwFactors& f) {
  g *= f.scale;  // by 1 without a change
  m += (g - m) * f.blend1;
  v = v * f.beta2 + g * g * f.blend2;
  return {p * f.keep - f.step_size * (m / (root(v) * f.over_root + f.epsilon)), m, v};
}

void update(float* p, const float* g, float* m, float* v, int64_t n, const AdamwFactors& f) {
  const AdamwFactors factors = f;
  for_each_vector(n, [&]<bool kWhole>(int64_t i, int64_t k) {
    const State s = next(get<kWhole>(p + i, k), get<kWhole>(g + i, k), get<kWhole>(m + i, k), get<kWhole>(v + i, k), factors);
    put<kWhole>(p + i, s.p, k);
    put<kWhole>(m + i, s.m, k);
    put<kWhole>(v + i, s.v, k);
  });
}

}  // namespace

const AdamwKernels& adamw_kernels() {
  static constexpr AdamwKernels kernels{update};
  return kernels;
}

}  // namespace motley::kernels::MOTLEY_ISA
