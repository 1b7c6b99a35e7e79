// SPDX-License-Identifier: Apache-2.0
// The 16-bit element types: exact widening, round-to-nearest-even narrowing.
#pragma once

#include <bit>
#include <cstdint>

namespace motley {

/// bfloat16 as stored: the upper half of a float32.
struct bf16 {
  uint16_t bits;
};

inline float to_float(float x) { return x; }
inline float to_float(bf16 x) { return std::bit_cast<float>(static_cast<uint32_t>(x.bits) << 16); }

template <typename T>
T from_float(float x);
template <>
inline float from_float<float>(float x) {
  return x;
}
template <>
inline bf16 from_float<bf16>(float x) {
  const uint32_t u = std::bit_cast<uint32_t>(x);
  if ((u & 0x7fffffffu) > 0x7f800000u) return {static_cast<uint16_t>((u >> 16) | 0x40u)};  // NaN stays NaN
  return {static_cast<uint16_t>((u + 0x7fffu + ((u >> 16) & 1u)) >> 16)};
}

/// IEEE binary16 as stored.
struct half {
  uint16_t bits;
};

/// Exact, subnormals, infinities and NaN included: the exponent's bias is corrected by a multiplication with a power of two.
inline float to_float(half x) {
  const uint32_t magnitude = static_cast<uint32_t>(x.bits & 0x7fffu) << 13;
  uint32_t bits = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) * 0x1p112f);
  if ((x.bits & 0x7c00u) == 0x7c00u) bits |= 0x7f800000u;
  return std::bit_cast<float>(bits | static_cast<uint32_t>(x.bits & 0x8000u) << 16);
}
inline float to_float(double x) { return static_cast<float>(x); }

/// Beyond the largest half, 65504, and its rounding: infinity. Without branches, so that loops over it become vectors.
template <>
inline half from_float<half>(float x) {
  const uint32_t u = std::bit_cast<uint32_t>(x);
  const auto magnitude = static_cast<int32_t>(u & 0x7fffffffu);  // signed: of two such the vectors' comparison is one instruction
  // below 2^-14 the halves are 2^-24 apart, as floats from 0.5 on are: the sum rounds
  const int32_t small = std::bit_cast<int32_t>(std::bit_cast<float>(magnitude) + 0.5f) - 0x3f000000;
  const int32_t normal = (magnitude - 0x38000000 + 0xfff + ((magnitude >> 13) & 1)) >> 13;
  const int32_t nan = 0x7e00 | ((magnitude >> 13) & 0x3ff);
  int32_t bits = magnitude < 0x38800000 ? small : normal;
  bits = magnitude >= 0x477ff000 ? 0x7c00 : bits;
  bits = magnitude > 0x7f800000 ? nan : bits;
  return {static_cast<uint16_t>(static_cast<uint32_t>(bits) | ((u >> 16) & 0x8000u))};
}

}  // namespace motley
