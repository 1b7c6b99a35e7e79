// SPDX-License-Identifier: Apache-2.0
// The vectors that pairs.avx512_bf16.cpp uses, lane by lane, so that any CPU can test that file.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "libtorch/bf16.h"

namespace motley::kernels::avx512_bf16_emulated {

struct Sums {
  float lane[16];
};
struct Pairs {
  bf16 lane[16][2];
};

inline Sums zero() { return {}; }
inline Sums load(const float* from) {
  Sums sums;
  std::memcpy(&sums, from, sizeof sums);
  return sums;
}
inline void store(float* to, Sums sums) { std::memcpy(to, &sums, sizeof sums); }
inline Pairs load(const bf16* from) {
  Pairs pairs;
  std::memcpy(&pairs, from, sizeof pairs);
  return pairs;
}
inline void multiply_add(const bf16* pair, Pairs column, Sums& sums) {
  for (int i = 0; i < 16; ++i) {
    sums.lane[i] = std::fma(to_float(pair[0]), to_float(column.lane[i][0]), sums.lane[i]);
    sums.lane[i] = std::fma(to_float(pair[1]), to_float(column.lane[i][1]), sums.lane[i]);
  }
}

}  // namespace motley::kernels::avx512_bf16_emulated
