// SPDX-License-Identifier: Apache-2.0
// A vector of floats as wide as the instruction set of the translation unit, on GCC's vector extensions:
// one source serves scalar (4 lanes of whatever the compiler makes of them), AVX2 and AVX-512.
// Only included by *.simd.cpp files; MOTLEY_ISA names their namespace, so that the linker never mixes them.
#pragma once

#include <immintrin.h>

#include <cmath>
#include <cstdint>
#include <cstring>

#include "libtorch/bf16.h"

namespace motley::kernels::MOTLEY_ISA {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX2__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif

typedef float Vec __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));
typedef double DVec __attribute__((vector_size(kLanes * 8), aligned(8), may_alias));
typedef int32_t IVec __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));
typedef uint32_t UVec __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));
typedef uint16_t U16Vec __attribute__((vector_size(kLanes * 2), aligned(2), may_alias));

inline Vec splat(float x) { return Vec{} + x; }
inline Vec load(const float* p) { return *reinterpret_cast<const Vec*>(p); }
inline void store(float* p, Vec v) { *reinterpret_cast<Vec*>(p) = v; }
inline Vec load(const bf16* p) {
  const U16Vec h = *reinterpret_cast<const U16Vec*>(p);
  return (Vec)(__builtin_convertvector(h, UVec) << 16);
}
inline U16Vec to_bf16(Vec v) {  // round to nearest even; NaN stays NaN
  const UVec u = (UVec)v;
  const UVec rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
  const UVec nan = (u >> 16) | 0x40u;
  const UVec is_nan = (UVec)((u & 0x7fffffffu) > 0x7f800000u);
  return __builtin_convertvector((rounded & ~is_nan) | (nan & is_nan), U16Vec);
}
inline void store(bf16* p, Vec v) { *reinterpret_cast<U16Vec*>(p) = to_bf16(v); }

inline Vec load(const half* p) {
#if defined(__AVX512F__)
  // (the maskz form: GCC 12 warns of its own header otherwise)
  return (Vec)_mm512_maskz_cvtph_ps(0xffff, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
#elif defined(__F16C__)
  return (Vec)_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
#else
  Vec v;
  for (int i = 0; i < kLanes; ++i) v[i] = to_float(p[i]);
  return v;
#endif
}
inline void store(half* p, Vec v) {  // round to nearest even; infinity beyond the largest; NaN stays NaN
#if defined(__AVX512F__)
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_maskz_cvtps_ph(0xffff, (__m512)v, _MM_FROUND_TO_NEAREST_INT));
#elif defined(__F16C__)
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph((__m256)v, _MM_FROUND_TO_NEAREST_INT));
#else
  for (int i = 0; i < kLanes; ++i) p[i] = from_float<half>(v[i]);
#endif
}

/// The first n (< kLanes) lanes; the others 0 / untouched.
template <typename T>
inline Vec load_part(const T* p, int64_t n) {
  T buffer[kLanes] = {};
  std::memcpy(buffer, p, static_cast<size_t>(n) * sizeof(T));
  return load(buffer);
}
template <typename T>
inline void store_part(T* p, Vec v, int64_t n) {
  T buffer[kLanes];
  store(buffer, v);
  std::memcpy(p, buffer, static_cast<size_t>(n) * sizeof(T));
}
// By masks where the instruction set has them; what is masked away is not touched. (AVX2's masked stores are slow on AMD's CPUs.)
#if defined(__AVX512F__)
inline __mmask16 first_lanes(int64_t n) { return static_cast<__mmask16>((1u << n) - 1); }
inline Vec load_part(const float* p, int64_t n) { return (Vec)_mm512_maskz_loadu_ps(first_lanes(n), p); }
inline void store_part(float* p, Vec v, int64_t n) { _mm512_mask_storeu_ps(p, first_lanes(n), (__m512)v); }
inline Vec load_part(const bf16* p, int64_t n) {
  return (Vec)(__builtin_convertvector((U16Vec)_mm256_maskz_loadu_epi16(first_lanes(n), p), UVec) << 16);
}
inline void store_part(bf16* p, Vec v, int64_t n) { _mm256_mask_storeu_epi16(p, first_lanes(n), (__m256i)to_bf16(v)); }
inline Vec load_part(const half* p, int64_t n) { return (Vec)_mm512_maskz_cvtph_ps(0xffff, _mm256_maskz_loadu_epi16(first_lanes(n), p)); }
#elif defined(__AVX2__)
inline Vec load_part(const float* p, int64_t n) {
  const IVec lane = {0, 1, 2, 3, 4, 5, 6, 7};
  return (Vec)_mm256_maskload_ps(p, (__m256i)(lane < static_cast<int32_t>(n)));
}
#endif

/// All lanes, or the first n.
template <bool kWhole, typename T>
inline Vec get(const T* p, int64_t n) {
  if constexpr (kWhole) return load(p);
  return load_part(p, n);
}
template <bool kWhole, typename T>
inline void put(T* p, Vec v, int64_t n) {
  if constexpr (kWhole) {
    store(p, v);
  } else {
    store_part(p, v, n);
  }
}

/// Calls body.template operator()<kWhole>(first, count) for every vector of n elements, the last one perhaps in part.
template <typename Body>
inline void for_each_vector(int64_t n, const Body& body) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) body.template operator()<true>(i, kLanes);
  if (i < n) body.template operator()<false>(i, n - i);
}

inline Vec select(IVec mask, Vec yes, Vec no) { return (Vec)(((IVec)yes & mask) | ((IVec)no & ~mask)); }
#if defined(__AVX512F__)
// (the maskz form: GCC 12 warns of its own header otherwise)
inline Vec max(Vec a, Vec b) { return (Vec)_mm512_maskz_max_ps(0xffff, (__m512)a, (__m512)b); }
inline Vec min(Vec a, Vec b) { return (Vec)_mm512_maskz_min_ps(0xffff, (__m512)a, (__m512)b); }
#elif defined(__AVX2__)
inline Vec max(Vec a, Vec b) { return (Vec)_mm256_max_ps((__m256)a, (__m256)b); }
inline Vec min(Vec a, Vec b) { return (Vec)_mm256_min_ps((__m256)a, (__m256)b); }
#else
inline Vec max(Vec a, Vec b) { return (Vec)_mm_max_ps((__m128)a, (__m128)b); }
inline Vec min(Vec a, Vec b) { return (Vec)_mm_min_ps((__m128)a, (__m128)b); }
#endif

/// c += a * b. In assembly, because GCC 12 otherwise renames the sums of a register tile from step to step and spills half
/// of them.
inline void multiply_add(Vec a, Vec b, Vec& c) {
#if defined(__AVX512F__)
  asm("vfmadd231ps %2, %1, %0" : "+v"(c) : "v"(a), "v"(b));
#elif defined(__AVX2__)
  asm("vfmadd231ps %2, %1, %0" : "+x"(c) : "x"(a), "x"(b));
#else
  c += a * b;
#endif
}

/// Rows of a kLanes x kLanes block become its columns: by exchanging quarters, then quarters of quarters.
template <int kStep = kLanes / 2>
inline void transpose_block(Vec (&rows)[kLanes]) {
  IVec low, high;
#pragma GCC unroll 16
  for (int l = 0; l < kLanes; ++l) {
    low[l] = l & kStep ? kLanes + l - kStep : l;
    high[l] = l & kStep ? kLanes + l : l + kStep;
  }
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; ++i) {
    if (i & kStep) continue;
    const Vec a = rows[i], b = rows[i + kStep];
    rows[i] = __builtin_shuffle(a, b, low);
    rows[i + kStep] = __builtin_shuffle(a, b, high);
  }
  if constexpr (kStep > 1) transpose_block<kStep / 2>(rows);
}

inline float sum(Vec v) {
  float total = 0;
  for (int i = 0; i < kLanes; ++i) total += v[i];
  return total;
}

/// Sum and largest lane by halving: a few steps of latency, where a loop over the lanes has one for each.
template <int kStep>
inline Vec rotated(Vec v) {
  IVec from;
  for (int i = 0; i < kLanes; ++i) from[i] = (i + kStep) % kLanes;
  return __builtin_shuffle(v, from);
}
template <int kStep = kLanes / 2>
inline float tree_sum(Vec v) {
  const Vec halved = v + rotated<kStep>(v);
  if constexpr (kStep == 1)
    return halved[0];
  else
    return tree_sum<kStep / 2>(halved);
}
template <int kStep = kLanes / 2>
inline float tree_max(Vec v) {
  const Vec halved = max(v, rotated<kStep>(v));
  if constexpr (kStep == 1)
    return halved[0];
  else
    return tree_max<kStep / 2>(halved);
}

/// e^x to about 1 ulp of float32 (Cody-Waite reduction, degree-6 polynomial as in Cephes expf); 0 below -87.3, inf above 88.7.
inline Vec exp(Vec x) {
  const Vec low = splat(-87.336544f), high = splat(88.722839f);
  const IVec under = x<low, over = x> high, nan = x != x;
  const Vec c = min(max(x, low), high);
  const Vec shifted = c * 1.44269504f + 12582912.0f;  // 1.5 * 2^23: rounds to an integer in the low bits
  const Vec n = shifted - 12582912.0f;
  const Vec r = (c - n * 0.693359375f) + n * 2.12194440e-4f;
  Vec p = splat(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  // 2^n in two halves, so that n = 128 does not overflow before the product does
  const IVec e = __builtin_convertvector(n, IVec), half = e >> 1;
  const Vec scale1 = (Vec)((half + 127) << 23), scale2 = (Vec)((e - half + 127) << 23);
  Vec y = p * scale1 * scale2;
  y = select(under, splat(0.0f), y);
  y = select(over, splat(INFINITY), y);
  return select(nan, x, y);
}

/// As exp with x clamped to [-87, 88]: about half the instructions, for arguments known to be in range and for quotients
/// that have saturated long before. A NaN becomes some finite number: the caller must keep it (x * f(x) does).
inline Vec exp_bounded(Vec x) {
  const Vec c = min(max(x, splat(-87.0f)), splat(88.0f));
  const Vec shifted = c * 1.44269504f + 12582912.0f;  // 1.5 * 2^23: the low bits now hold the exponent
  const Vec n = shifted - 12582912.0f;
  const Vec r = (c - n * 0.693359375f) + n * 2.12194440e-4f;
  Vec p = splat(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  return (Vec)((IVec)p + ((IVec)shifted << 23));
}

/// 2^x to 1 ulp for x <= 0, x clamped to -126; NaN stays NaN (minimax polynomial on [-1/2, 1/2], error 2e-9).
inline Vec exp2_falling(Vec x) {
  const Vec c = max(splat(-126.0f), x);  // in this order a NaN passes
  const Vec shifted = c + 12582912.0f;   // 1.5 * 2^23: the low bits now hold the exponent
  const Vec r = c - (shifted - 12582912.0f);
  Vec p = splat(1.5353362e-4f);
  p = p * r + 1.3398875e-3f;
  p = p * r + 9.61843692e-3f;
  p = p * r + 5.55033237e-2f;
  p = p * r + 2.40226477e-1f;
  p = p * r + 6.93147182e-1f;
  p = p * r + 1.0f;
  return (Vec)((IVec)p + ((IVec)shifted << 23));
}

inline Vec silu(Vec x) { return x / (1.0f + exp_bounded(-x)); }
inline Vec quick_gelu(Vec x) { return x / (1.0f + exp_bounded(-1.702f * x)); }

// In this order a NaN stays one.
inline Vec hard_sigmoid(Vec x) { return min(splat(6.0f), max(Vec{}, x + 3.0f)) * (1.0f / 6.0f); }
inline Vec hard_swish(Vec x) { return x * hard_sigmoid(x); }
/// Their derivatives, at the corners as torch has them.
inline Vec hard_sigmoid_slope(Vec x) { return select((x > -3.0f) & (x < 3.0f), splat(1.0f / 6.0f), Vec{}); }
inline Vec hard_swish_slope(Vec x) { return select(x < -3.0f, Vec{}, select(x <= 3.0f, x * (1.0f / 3.0f) + 0.5f, splat(1.0f))); }

/// |x|, at most 13; NaN stays NaN.
inline Vec bounded_magnitude(Vec x) { return min(splat(13.0f), (Vec)((IVec)x & 0x7fffffff)); }  // in this order a NaN passes

/// x * Phi(x), the exact GELU, as max(0, x) - u Phi(-u), u = |x|: no difference of near numbers, so that negative x keep more
/// digits than 1 + erf leaves (relative error 3e-4 at -4, 2e-3 at -5; absolute at most 1.9e-8 |x| before rounding). log2 Phi(-u)
/// is a minimax polynomial on [0, 5.5], -1 at 0; beyond, Phi(-u) is below 2e-8 and falls to 2^-126.
inline Vec gelu(Vec x) {
  const Vec u = bounded_magnitude(x);
  Vec p = splat(-2.1875614e-6f);
  p = p * u + 3.2668162e-5f;
  p = p * u - 1.5898320e-4f;
  p = p * u - 1.9197515e-4f;
  p = p * u + 7.1222289e-3f;
  p = p * u - 5.2528366e-2f;
  p = p * u - 4.5920023e-1f;
  p = p * u - 1.1511059f;
  p = p * u - 1.0f;
  return max(Vec{}, x) - u * exp2_falling(p);
}

/// Its derivative Phi(x) + x phi(x). With t = Phi(-u) - u phi(u), u = |x|, it is t below 0 and 1 - t above; t = phi(u) (m(u) - u),
/// where Mills' ratio m = Phi(-u) / phi(u) is a minimax polynomial in 1 / (1 + 0.4 u) (t's error: 2.6e-8, relative 5.3e-6 from
/// 1.5 to 13).
inline Vec gelu_slope(Vec x) {
  const Vec u = bounded_magnitude(x), z = 1.0f / (1.0f + 0.4f * u);
  Vec mills = splat(1.38941228e-1f);
  mills = mills * z - 6.29658501e-1f;
  mills = mills * z + 8.39601342e-1f;
  mills = mills * z + 3.9858594e-2f;
  mills = mills * z + 4.72328376e-1f;
  mills = mills * z + 3.92020493e-1f;
  mills = mills * z + 2.22669357e-4f;
  const Vec t = 3.98942280e-1f * exp2_falling(u * u * -0.721347520f) * (mills - u);
  return select(x > 0.0f, 1.0f - t, t);
}

}  // namespace motley::kernels::MOTLEY_ISA
