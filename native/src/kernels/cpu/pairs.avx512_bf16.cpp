// SPDX-License-Identifier: Apache-2.0
// 12 rows by 32 columns on 24 of the 32 vector registers of AVX-512: a step multiplies two vectors of the right matrix by a pair of
// each row, broadcast on its way from memory.
#include "kernels/cpu/pairs.h"

#if defined(MOTLEY_EMULATE_AVX512_BF16)
#include "support/avx512_bf16_emulated.h"
#define MOTLEY_AVX512_BF16 avx512_bf16_emulated
#else
#include <immintrin.h>
#define MOTLEY_AVX512_BF16 avx512_bf16
#endif

namespace motley::kernels::MOTLEY_AVX512_BF16 {
namespace {

constexpr int kRows = 12, kLanes = 16;

#if !defined(MOTLEY_EMULATE_AVX512_BF16)
using Sums = __m512;
using Pairs = __m512i;
inline Sums zero() { return _mm512_setzero_ps(); }
inline Sums load(const float* from) { return _mm512_loadu_ps(from); }
inline void store(float* to, Sums sums) { _mm512_storeu_ps(to, sums); }
inline Pairs load(const bf16* from) { return _mm512_loadu_si512(from); }
// In assembly, because GCC 12 otherwise renames the sums from step to step and spills half of them.
inline void multiply_add(const bf16* pair, Pairs column, Sums& sums) {
  asm("vdpbf16ps %2%{1to16%}, %1, %0" : "+v"(sums) : "v"(column), "m"(*reinterpret_cast<const uint32_t(*)[1]>(pair)));
}
#endif

template <int R, int V>
void tile(const bf16* a, int64_t a_stride, const bf16* const* panels, int64_t depth, float* sums, int64_t stride, bool add) {
  Sums acc[R][V];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) acc[r][v] = add ? load(sums + r * stride + v * kLanes) : zero();
  }
  const bf16* panel[V];
  for (int v = 0; v < V; ++v) panel[v] = panels[v];
#pragma GCC unroll 4
  for (int64_t k = 0; k < depth; k += 2) {
    Pairs column[V];
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) column[v] = load(panel[v] + k * kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) multiply_add(a + r * a_stride + k, column[v], acc[r][v]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) store(sums + r * stride + v * kLanes, acc[r][v]);
  }
}

using Tile = void (*)(const bf16*, int64_t, const bf16* const*, int64_t, float*, int64_t, bool);

template <int V>
Tile tile_of(int rows) {
  switch (rows) {
    case 1: return tile<1, V>;
    case 2: return tile<2, V>;
    case 3: return tile<3, V>;
    case 4: return tile<4, V>;
    case 5: return tile<5, V>;
    case 6: return tile<6, V>;
    case 7: return tile<7, V>;
    case 8: return tile<8, V>;
    case 9: return tile<9, V>;
    case 10: return tile<10, V>;
    case 11: return tile<11, V>;
    default: return tile<kRows, V>;
  }
}

void nothing() {}

void multiply(const bf16* a, int64_t a_stride, int rows, const bf16* const* panels, int count, int64_t depth, float* sums, int64_t stride,
              bool add) {
  const Tile tile = count > 1 ? tile_of<2>(rows) : tile_of<1>(rows);
  tile(a, a_stride, panels, depth, sums, stride, add);
}

}  // namespace

const PairUnit& pair_unit() {
  static constexpr PairUnit unit = {kRows, 1, 512, nothing, nothing, multiply};
  return unit;
}

}  // namespace motley::kernels::MOTLEY_AVX512_BF16
