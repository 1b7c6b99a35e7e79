// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/pooling.h"

#include "kernels/cpu/vec.h"

namespace motley::kernels::MOTLEY_ISA {
namespace {

typedef uint8_t ByteVec __attribute__((vector_size(kLanes), aligned(1), may_alias));

inline int64_t halved(int64_t size) { return (size - 1) / 2 + 1; }  // max_pool_size, kept in this namespace

inline void put_taps(uint8_t* p, IVec v, int64_t n) {
  const ByteVec bytes = __builtin_convertvector(v, ByteVec);
  if (n == kLanes) {
    *reinterpret_cast<ByteVec*>(p) = bytes;
  } else {
    for (int64_t i = 0; i < n; ++i) p[i] = bytes[i];
  }
}
inline IVec get_taps(const uint8_t* p, int64_t n) {
  ByteVec bytes{};
  if (n == kLanes) {
    bytes = *reinterpret_cast<const ByteVec*>(p);
  } else {
    for (int64_t i = 0; i < n; ++i) bytes[i] = p[i];
  }
  return __builtin_convertvector(bytes, IVec);
}
template <typename T>
inline Vec get(const T* p, int64_t n) {
  return n == kLanes ? load(p) : load_part(p, n);
}
template <typename T>
inline void put(T* p, Vec v, int64_t n) {
  n == kLanes ? store(p, v) : store_part(p, v, n);
}

template <typename T>
void max_pool(const T* x, int64_t h, int64_t w, int64_t c, T* y, uint8_t* taps) {
  const int64_t oh = halved(h), ow = halved(w);
  for (int64_t out = 0; out < oh * ow; ++out) {
    const int64_t top = out / ow * 2 - 1, left = out % ow * 2 - 1;
    for (int64_t k = 0; k < c; k += kLanes) {
      const int64_t n = c - k < kLanes ? c - k : kLanes;
      Vec best = splat(-INFINITY);
      IVec tap{};
      IVec fresh = ~IVec{};  // the first tap is taken whatever it is
      for (int64_t i = top < 0 ? 1 : 0; i < 3 && top + i < h; ++i) {
        for (int64_t j = left < 0 ? 1 : 0; j < 3 && left + j < w; ++j) {
          const Vec v = get(x + ((top + i) * w + left + j) * c + k, n);
          const IVec number = IVec{} + static_cast<int32_t>(3 * i + j);
          const IVec better = fresh | (v > best) | (v != v);  // a NaN wins, as in torch
          best = select(better, v, best);
          tap = (number & better) | (tap & ~better);
          fresh = IVec{};
        }
      }
      put(y + out * c + k, best, n);
      if (taps) put_taps(taps + out * c + k, tap, n);
    }
  }
}

template <typename T>
void max_pool_backward(const T* dy, const uint8_t* taps, int64_t h, int64_t w, int64_t c, T* dx) {
  const int64_t oh = halved(h), ow = halved(w);
  for (int64_t in = 0; in < h * w; ++in) {
    const int64_t row = in / w, column = in % w;
    for (int64_t k = 0; k < c; k += kLanes) {
      const int64_t n = c - k < kLanes ? c - k : kLanes;
      Vec d{};
      // window o covers rows 2o - 1 .. 2o + 1
      for (int64_t i = row / 2; i <= (row + 1) / 2 && i < oh; ++i) {
        for (int64_t j = column / 2; j <= (column + 1) / 2 && j < ow; ++j) {
          const int64_t tap = 3 * (row - 2 * i + 1) + column - 2 * j + 1, at = (i * ow + j) * c + k;
          d += select(get_taps(taps + at, n) == static_cast<int32_t>(tap), get(dy + at, n), Vec{});
        }
      }
      put(dx + in * c + k, d, n);
    }
  }
}

template <typename T>
void mean(const T* x, int64_t pixels, int64_t c, T* y) {
  const float over = 1.0f / static_cast<float>(pixels);
  for (int64_t k = 0; k < c; k += kLanes) {
    const int64_t n = c - k < kLanes ? c - k : kLanes;
    Vec s{};
    for (int64_t p = 0; p < pixels; ++p) s += get(x + p * c + k, n);
    put(y + k, s * over, n);
  }
}

template <typename T>
void mean_backward(const T* dy, int64_t pixels, int64_t c, T* dx) {
  const float over = 1.0f / static_cast<float>(pixels);
  for (int64_t p = 0; p < pixels; ++p) {
    for (int64_t k = 0; k < c; k += kLanes) {
      const int64_t n = c - k < kLanes ? c - k : kLanes;
      put(dx + p * c + k, get(dy + k, n) * over, n);
    }
  }
}

}  // namespace

const PoolingKernels& pooling_kernels() {
  static constexpr PoolingKernels kernels{{max_pool<float>, max_pool_backward<float>, mean<float>, mean_backward<float>},
                                          {max_pool<bf16>, max_pool_backward<bf16>, mean<bf16>, mean_backward<bf16>}};
  return kernels;
}

}  // namespace motley::kernels::MOTLEY_ISA
