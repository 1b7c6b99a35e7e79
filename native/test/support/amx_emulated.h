// SPDX-License-Identifier: Apache-2.0
// The tile instructions that pairs.amx.cpp uses, as the manual describes them, so that any CPU can test that file.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "libtorch/bf16.h"

namespace motley::kernels::amx_emulated {

struct EmulatedTiles {
  bool configured = false;
  int rows[8] = {}, bytes[8] = {};
  alignas(64) uint8_t data[8][16 * 64] = {};
};
inline thread_local EmulatedTiles emulated;

inline void _tile_loadconfig(const void* config) {
  const auto* bytes = static_cast<const uint8_t*>(config);
  if (bytes[0] != 1) std::abort();  // the one palette there is
  for (int t = 0; t < 8; ++t) {
    uint16_t width;
    std::memcpy(&width, bytes + 16 + 2 * t, 2);
    emulated.bytes[t] = width;
    emulated.rows[t] = bytes[48 + t];
    if (width > 64 || bytes[48 + t] > 16) std::abort();
  }
  std::memset(emulated.data, 0, sizeof emulated.data);
  emulated.configured = true;
}

inline void _tile_release() { emulated.configured = false; }

inline void check_configured() {
  if (!emulated.configured) std::abort();  // the instruction faults
}

inline void _tile_zero(int t) {
  check_configured();
  std::memset(emulated.data[t], 0, sizeof emulated.data[t]);
}

inline void _tile_loadd(int t, const void* base, int64_t stride) {
  check_configured();
  for (int r = 0; r < emulated.rows[t]; ++r) {
    std::memcpy(emulated.data[t] + 64 * r, static_cast<const char*>(base) + r * stride, static_cast<size_t>(emulated.bytes[t]));
  }
}

inline void _tile_stored(int t, void* base, int64_t stride) {
  check_configured();
  for (int r = 0; r < emulated.rows[t]; ++r) {
    std::memcpy(static_cast<char*>(base) + r * stride, emulated.data[t] + 64 * r, static_cast<size_t>(emulated.bytes[t]));
  }
}

/// c[m][n] += a[m][2 k] * b[k][2 n] + a[m][2 k + 1] * b[k][2 n + 1]
inline void _tile_dpbf16ps(int c, int a, int b) {
  check_configured();
  for (int m = 0; m < emulated.rows[c]; ++m) {
    for (int k = 0; k < emulated.bytes[a] / 4; ++k) {
      for (int n = 0; n < emulated.bytes[c] / 4; ++n) {
        float sum;
        bf16 left[2], right[2];
        std::memcpy(&sum, emulated.data[c] + 64 * m + 4 * n, 4);
        std::memcpy(left, emulated.data[a] + 64 * m + 4 * k, 4);
        std::memcpy(right, emulated.data[b] + 64 * k + 4 * n, 4);
        sum = std::fma(to_float(left[0]), to_float(right[0]), sum);
        sum = std::fma(to_float(left[1]), to_float(right[1]), sum);
        std::memcpy(emulated.data[c] + 64 * m + 4 * n, &sum, 4);
      }
    }
  }
}

}  // namespace motley::kernels::amx_emulated
