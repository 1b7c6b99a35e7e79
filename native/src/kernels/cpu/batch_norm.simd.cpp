// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/batch_norm.h"

#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/vec.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace motley::kernels::MOTLEY_ISA {
namespace {

constexpr int64_t kBlock = 16;                               // rows summed in float32 before they go to float64
constexpr int kLineVectors = kLanes < 16 ? 16 / kLanes : 1;  // that fill a cache line

inline void add_to(double* total, Vec v, int64_t n) {
  if (n == kLanes) {
    DVec* t = reinterpret_cast<DVec*>(total);
    *t += __builtin_convertvector(v, DVec);
  } else {
    for (int64_t i = 0; i < n; ++i) total[i] += static_cast<double>(v[i]);
  }
}

// One bit per lane, lane 0 lowest; written as whole bytes (kLanes = 4: two vectors share a byte, see put_bits).
inline uint32_t positive(Vec v) {
#if defined(__AVX512F__)
  return _mm512_cmp_ps_mask((__m512)v, _mm512_setzero_ps(), _CMP_GT_OQ);
#elif defined(__AVX2__)
  return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps((__m256)v, _mm256_setzero_ps(), _CMP_GT_OQ)));
#else
  uint32_t bits = 0;
  for (int i = 0; i < kLanes; ++i) bits |= static_cast<uint32_t>(v[i] > 0) << i;
  return bits;
#endif
}

inline void put_bits(uint8_t* row, int64_t channel, uint32_t bits, int64_t n) {
  if constexpr (kLanes == 4) {
    uint8_t& byte = row[channel / 8];
    byte = static_cast<uint8_t>(channel % 8 == 0 ? bits : byte | (bits << 4));
  } else {
    for (int64_t i = 0; i < n; i += 8) row[(channel + i) / 8] = static_cast<uint8_t>(bits >> i);
  }
}

inline uint32_t get_bits(const uint8_t* row, int64_t channel, int64_t n) {
  if constexpr (kLanes == 4) {
    return row[channel / 8] >> (channel % 8);
  } else {
    uint32_t bits = row[channel / 8];
    if (kLanes == 16 && n > 8) bits |= static_cast<uint32_t>(row[channel / 8 + 1]) << 8;
    return bits;
  }
}

inline IVec lanes_of(uint32_t bits) {
  IVec one{};
  for (int i = 0; i < kLanes; ++i) one[i] = 1 << i;
  return ((IVec{} + static_cast<int32_t>(bits)) & one) != 0;
}

constexpr bool recomputed(Gate gate) { return gate == Gate::relu || gate == Gate::hard_swish; }

template <Gate kGate>
inline Vec gated(Vec dy, Vec x, Vec scale, Vec shift, const uint8_t* bits, int64_t channel, int64_t n) {
  if constexpr (kGate == Gate::relu) return select(x * scale + shift > 0.0f, dy, Vec{});
  if constexpr (kGate == Gate::hard_swish) return dy * hard_swish_slope(x * scale + shift);
  if constexpr (kGate == Gate::relu_bits) return select(lanes_of(get_bits(bits, channel, n)), dy, Vec{});
  return dy;
}

// Visits the channels by whole cache lines of vectors, the rest one vector at a time, the last one perhaps in part.
template <typename Column>
inline void each_column(int64_t channels, const Column& column) {
  int64_t c = 0;
  for (; c + kLineVectors * kLanes <= channels; c += kLineVectors * kLanes) {
    column.template operator()<kLineVectors, true>(c, kLanes);
  }
  for (; c + kLanes <= channels; c += kLanes) column.template operator()<1, true>(c, kLanes);
  if (c < channels) column.template operator()<1, false>(c, channels - c);
}

template <typename T>
void moments(const T* x, int64_t rows, int64_t channels, int64_t pitch, const float* shift, double* sum, double* squares) {
  for (int64_t first = 0; first < rows; first += kBlock) {
    const int64_t count = rows - first < kBlock ? rows - first : kBlock;
    each_column(channels, [&]<int V, bool kWhole>(int64_t c, int64_t n) {
      Vec zero[V], s[V] = {}, q[V] = {};
      for (int i = 0; i < V; ++i) zero[i] = get<kWhole>(shift + c + i * kLanes, n);
      for (int64_t r = first; r < first + count; ++r) {
        const T* row = x + r * pitch + c;
        __builtin_prefetch(row + kBlock * pitch);  // lines of a column lie too far apart for the processor to foresee
        for (int i = 0; i < V; ++i) {
          const Vec v = get<kWhole>(row + i * kLanes, n) - zero[i];
          s[i] += v;
          q[i] += v * v;
        }
      }
      for (int i = 0; i < V; ++i) {
        add_to(sum + c + i * kLanes, s[i], n);
        add_to(squares + c + i * kLanes, q[i], n);
      }
    });
  }
}

template <typename T, Activation kActivation, bool kResidual, bool kBits>
void apply_as(const T* x, int64_t rows, int64_t channels, const float* scale, const float* shift, const T* residual, T* y, uint8_t* bits) {
  const int64_t pitch = (channels + 7) / 8;
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t row = r * channels;
    for_each_vector(channels, [&]<bool kWhole>(int64_t c, int64_t n) {
      Vec v = get<kWhole>(x + row + c, n) * get<kWhole>(scale + c, n) + get<kWhole>(shift + c, n);
      if constexpr (kResidual) v += get<kWhole>(residual + row + c, n);
      if constexpr (kBits) put_bits(bits + r * pitch, c, positive(v), n);
      put<kWhole>(y + row + c, activate<kActivation>(v), n);  // a NaN passes, to be seen in the loss
    });
  }
}

template <typename T>
void apply(const T* x, int64_t rows, int64_t channels, const float* scale, const float* shift, const T* residual, Activation activation,
           T* y, uint8_t* bits) {
  constexpr Activation kNone = Activation::none, kRelu = Activation::relu, kHardSwish = Activation::hard_swish;
  const auto run = activation == kNone        ? (residual ? apply_as<T, kNone, true, false> : apply_as<T, kNone, false, false>)
                   : activation == kHardSwish ? (residual ? apply_as<T, kHardSwish, true, false> : apply_as<T, kHardSwish, false, false>)
                   : residual                 ? (bits ? apply_as<T, kRelu, true, true> : apply_as<T, kRelu, true, false>)
                                              : (bits ? apply_as<T, kRelu, false, true> : apply_as<T, kRelu, false, false>);
  run(x, rows, channels, scale, shift, residual, y, bits);
}

template <typename T, Gate kGate>
void sums_as(const T* dy, const T* x, int64_t rows, int64_t channels, int64_t pitch, const uint8_t* bits, int64_t bits_pitch,
             const BatchNormSums& how, double* sum, double* products) {
  for (int64_t first = 0; first < rows; first += kBlock) {
    const int64_t count = rows - first < kBlock ? rows - first : kBlock;
    each_column(channels, [&]<int V, bool kWhole>(int64_t c, int64_t n) {
      Vec mean[V], scale[V] = {}, shift[V] = {}, s[V] = {}, q[V] = {};
      for (int i = 0; i < V; ++i) {
        mean[i] = get<kWhole>(how.mean + c + i * kLanes, n);
        if constexpr (recomputed(kGate)) {
          scale[i] = get<kWhole>(how.scale + c + i * kLanes, n);
          shift[i] = get<kWhole>(how.shift + c + i * kLanes, n);
        }
      }
      for (int64_t r = first; r < first + count; ++r) {
        const int64_t at = r * pitch + c;
        __builtin_prefetch(x + at + kBlock * pitch);
        __builtin_prefetch(dy + at + kBlock * pitch);
        for (int i = 0; i < V; ++i) {
          const int64_t k = i * kLanes;
          const Vec v = get<kWhole>(x + at + k, n), d = get<kWhole>(dy + at + k, n);
          const Vec dz = gated<kGate>(d, v, scale[i], shift[i], bits + r * bits_pitch, c + k, n);
          s[i] += dz;
          q[i] += dz * (v - mean[i]);
        }
      }
      for (int i = 0; i < V; ++i) {
        add_to(sum + c + i * kLanes, s[i], n);
        add_to(products + c + i * kLanes, q[i], n);
      }
    });
  }
}

template <typename T>
void sums(const T* dy, const T* x, int64_t rows, int64_t channels, int64_t pitch, Gate gate, const uint8_t* bits, int64_t bits_pitch,
          const BatchNormSums& how, double* sum, double* products) {
  const auto run = gate == Gate::none        ? sums_as<T, Gate::none>
                   : gate == Gate::relu_bits ? sums_as<T, Gate::relu_bits>
                   : gate == Gate::relu      ? sums_as<T, Gate::relu>
                                             : sums_as<T, Gate::hard_swish>;
  run(dy, x, rows, channels, pitch, bits, bits_pitch, how, sum, products);
}

template <typename T, Gate kGate, bool kResidual>
void gradient_as(const T* dy, const T* x, int64_t rows, int64_t channels, const uint8_t* bits, const BatchNormGradient& how, T* dx,
                 T* dresidual) {
  const int64_t bits_pitch = (channels + 7) / 8;
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t row = r * channels;
    for_each_vector(channels, [&]<bool kWhole>(int64_t c, int64_t n) {
      const Vec v = get<kWhole>(x + row + c, n), scale = get<kWhole>(how.scale + c, n);
      Vec shift{};
      if constexpr (recomputed(kGate)) shift = get<kWhole>(how.shift + c, n);
      const Vec dz = gated<kGate>(get<kWhole>(dy + row + c, n), v, scale, shift, bits + r * bits_pitch, c, n);
      if constexpr (kResidual) put<kWhole>(dresidual + row + c, dz, n);
      const Vec d = dz * scale + ((v - get<kWhole>(how.mean + c, n)) * get<kWhole>(how.slope + c, n) + get<kWhole>(how.centre + c, n));
      put<kWhole>(dx + row + c, d, n);
    });
  }
}

template <typename T>
void gradient(const T* dy, const T* x, int64_t rows, int64_t channels, Gate gate, const uint8_t* bits, const BatchNormGradient& how, T* dx,
              T* dresidual) {
  const auto run = gate == Gate::none        ? (dresidual ? gradient_as<T, Gate::none, true> : gradient_as<T, Gate::none, false>)
                   : gate == Gate::relu_bits ? (dresidual ? gradient_as<T, Gate::relu_bits, true> : gradient_as<T, Gate::relu_bits, false>)
                   : gate == Gate::relu      ? (dresidual ? gradient_as<T, Gate::relu, true> : gradient_as<T, Gate::relu, false>)
                                        : (dresidual ? gradient_as<T, Gate::hard_swish, true> : gradient_as<T, Gate::hard_swish, false>);
  run(dy, x, rows, channels, bits, how, dx, dresidual);
}

}  // namespace

const BatchNormKernels& batch_norm_kernels() {
  static constexpr BatchNormKernels kernels{{moments<float>, apply<float>, sums<float>, gradient<float>},
                                            {moments<bf16>, apply<bf16>, sums<bf16>, gradient<bf16>}};
  return kernels;
}

}  // namespace motley::kernels::MOTLEY_ISA
