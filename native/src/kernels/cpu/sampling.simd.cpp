// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/sampling.h"

#include "kernels/cpu/vec.h"

namespace motley::kernels::MOTLEY_ISA {
namespace {

Vec stepped(const DdimStep& s, Vec x, Vec eps) {
  if (!s.clip) return x * s.keep + eps * s.move;
  const Vec x0 = min(max(x * s.x0_x + eps * s.x0_eps, splat(-1.0f)), splat(1.0f));
  return x0 * s.from_x0 + eps * s.from_eps;
}

void update(const DdimStep& step, int64_t n, float* x, const float* eps, const float* negative, float guidance, const float* noise) {
  for_each_vector(n, [&]<bool kWhole>(int64_t i, int64_t m) {
    Vec e = get<kWhole>(eps + i, m);
    if (negative != nullptr) {
      const Vec base = get<kWhole>(negative + i, m);
      e = base + guidance * (e - base);
    }
    Vec y = stepped(step, get<kWhole>(x + i, m), e);
    if (noise != nullptr) y += get<kWhole>(noise + i, m) * step.sigma;
    put<kWhole>(x + i, y, m);
  });
}

bool quantise(int64_t n, const float* decoded, bool truncate, float* units, uint8_t* pixels) {
  IVec odd = {};  // lanes that met a NaN or an infinity
  for_each_vector(n, [&]<bool kWhole>(int64_t i, int64_t m) {
    const Vec x = get<kWhole>(decoded + i, m);
    odd |= ((IVec)x & 0x7f800000) == 0x7f800000;
    const Vec unit = min(max(x * 0.5f + 0.5f, splat(0.0f)), splat(1.0f));
    if (units != nullptr) put<kWhole>(units + i, select(x != x, x, unit), m);
    if (pixels == nullptr) return;
    const Vec scaled = unit * 255.0f;
    const IVec whole = truncate ? __builtin_convertvector(scaled, IVec) : ((IVec)(scaled + 12582912.0f) & 0xff);
    for (int64_t k = 0; k < m; ++k) pixels[i + k] = static_cast<uint8_t>(whole[k]);
  });
  bool finite = true;
  for (int k = 0; k < kLanes; ++k) finite &= odd[k] == 0;
  return finite;
}

}  // namespace

const SamplingKernels& sampling_kernels() {
  static constexpr SamplingKernels kernels = {update, quantise};
  return kernels;
}

}  // namespace motley::kernels::MOTLEY_ISA
