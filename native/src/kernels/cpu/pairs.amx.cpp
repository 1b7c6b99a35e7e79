// SPDX-License-Identifier: Apache-2.0
// 32 rows by 32 columns on the tile registers of AMX: four tiles of sums, two of the left matrix, two of the right.
#include "kernels/cpu/pairs.h"

#if defined(MOTLEY_EMULATE_AMX)
#include "support/amx_emulated.h"
#define MOTLEY_AMX amx_emulated
#else
#include <immintrin.h>
#define MOTLEY_AMX amx
#endif

namespace motley::kernels::MOTLEY_AMX {
namespace {

constexpr int kTileRows = 16, kTileBytes = 64;
constexpr int kTileFloats = kTileBytes / 4;                      // columns of a tile of sums
constexpr int64_t kPanelBlock = PairUnit::kDepth * kTileFloats;  // elements of a panel that a tile takes

struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t bytes_of_row[16] = {kTileBytes, kTileBytes, kTileBytes, kTileBytes, kTileBytes, kTileBytes, kTileBytes, kTileBytes};
  uint8_t rows[16] = {kTileRows, kTileRows, kTileRows, kTileRows, kTileRows, kTileRows, kTileRows, kTileRows};
};

// static: GCC's intrinsic declares to read 8 of the 64 bytes only, and stores to the others could be left out
constexpr TileConfig kConfig;

void begin() { _tile_loadconfig(&kConfig); }

void end() { _tile_release(); }

// tiles 0, 1: sums of the upper rows; 2, 3: of the lower ones; 4, 5: left; 6, 7: right
template <bool kLower, bool kSecond>
void tiles(const bf16* a, int64_t a_stride, const bf16* const* panels, int64_t depth, float* sums, int64_t stride, bool add) {
  const int64_t a_bytes = a_stride * 2, s_bytes = stride * 4;
  const bf16* lower = a + kTileRows * a_stride;
  float* sums_lower = sums + kTileRows * stride;
  if (add) {
    _tile_loadd(0, sums, s_bytes);
    if constexpr (kSecond) _tile_loadd(1, sums + kTileFloats, s_bytes);
    if constexpr (kLower) _tile_loadd(2, sums_lower, s_bytes);
    if constexpr (kLower && kSecond) _tile_loadd(3, sums_lower + kTileFloats, s_bytes);
  } else {
    _tile_zero(0);
    if constexpr (kSecond) _tile_zero(1);
    if constexpr (kLower) _tile_zero(2);
    if constexpr (kLower && kSecond) _tile_zero(3);
  }
  const bf16 *first = panels[0], *second = kSecond ? panels[1] : nullptr;
  for (int64_t k = 0; k < depth; k += PairUnit::kDepth, first += kPanelBlock) {
    _tile_loadd(6, first, kTileBytes);
    _tile_loadd(4, a + k, a_bytes);
    _tile_dpbf16ps(0, 4, 6);
    if constexpr (kLower) {
      _tile_loadd(5, lower + k, a_bytes);
      _tile_dpbf16ps(2, 5, 6);
    }
    if constexpr (kSecond) {
      _tile_loadd(7, second, kTileBytes);
      _tile_dpbf16ps(1, 4, 7);
      if constexpr (kLower) _tile_dpbf16ps(3, 5, 7);
      second += kPanelBlock;
    }
  }
  _tile_stored(0, sums, s_bytes);
  if constexpr (kSecond) _tile_stored(1, sums + kTileFloats, s_bytes);
  if constexpr (kLower) _tile_stored(2, sums_lower, s_bytes);
  if constexpr (kLower && kSecond) _tile_stored(3, sums_lower + kTileFloats, s_bytes);
}

void multiply(const bf16* a, int64_t a_stride, int rows, const bf16* const* panels, int count, int64_t depth, float* sums, int64_t stride,
              bool add) {
  if (rows > kTileRows) {
    count > 1 ? tiles<true, true>(a, a_stride, panels, depth, sums, stride, add)
              : tiles<true, false>(a, a_stride, panels, depth, sums, stride, add);
  } else {
    count > 1 ? tiles<false, true>(a, a_stride, panels, depth, sums, stride, add)
              : tiles<false, false>(a, a_stride, panels, depth, sums, stride, add);
  }
}

}  // namespace

const PairUnit& pair_unit() {
  static constexpr PairUnit unit = {2 * kTileRows, kTileRows, 512, begin, end, multiply};
  return unit;
}

}  // namespace motley::kernels::MOTLEY_AMX
