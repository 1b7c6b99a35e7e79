// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/squeeze_excite.h"

#include "kernels/cpu/vec.h"

namespace motley::kernels::MOTLEY_ISA {
namespace {

// Four vectors of channels at a time: as many sums as hide the latency of an addition, and whole cache lines.
template <typename Column>
inline void each_column(int64_t channels, const Column& column) {
  int64_t c = 0;
  for (; c + 4 * kLanes <= channels; c += 4 * kLanes) column.template operator()<4, true>(c, kLanes);
  for (; c + kLanes <= channels; c += kLanes) column.template operator()<1, true>(c, kLanes);
  if (c < channels) column.template operator()<1, false>(c, channels - c);
}

template <typename T>
void mean(const T* x, int64_t pixels, int64_t channels, float* mean) {
  const float over = 1.0f / static_cast<float>(pixels);
  each_column(channels, [&]<int V, bool kWhole>(int64_t c, int64_t n) {
    Vec sums[V] = {};
    for (int64_t p = 0; p < pixels; ++p) {
      for (int v = 0; v < V; ++v) sums[v] += get<kWhole>(x + p * channels + c + v * kLanes, n);
    }
    for (int v = 0; v < V; ++v) put<kWhole>(mean + c + v * kLanes, sums[v] * over, n);
  });
}

template <typename T>
void mean_backward(const float* dmean, int64_t pixels, int64_t channels, bool add, T* dx) {
  const float over = 1.0f / static_cast<float>(pixels);
  for (int64_t p = 0; p < pixels; ++p, dx += channels) {
    for_each_vector(channels, [&]<bool kWhole>(int64_t c, int64_t n) {
      Vec d = get<kWhole>(dmean + c, n) * over;
      if (add) d += get<kWhole>(dx + c, n);
      put<kWhole>(dx + c, d, n);
    });
  }
}

template <typename T>
void excite(const T* x, const float* s, int64_t pixels, int64_t channels, T* y) {
  each_column(channels, [&]<int V, bool kWhole>(int64_t c, int64_t n) {
    Vec factors[V];
    for (int v = 0; v < V; ++v) factors[v] = hard_sigmoid(get<kWhole>(s + c + v * kLanes, n));
    for (int64_t at = c; at < pixels * channels; at += channels) {
      for (int v = 0; v < V; ++v) put<kWhole>(y + at + v * kLanes, get<kWhole>(x + at + v * kLanes, n) * factors[v], n);
    }
  });
}

template <typename T>
void excite_backward(const T* dy, const T* x, const float* s, int64_t pixels, int64_t channels, T* dx, float* ds) {
  each_column(channels, [&]<int V, bool kWhole>(int64_t c, int64_t n) {
    Vec factors[V], sums[V] = {};
    for (int v = 0; v < V; ++v) factors[v] = hard_sigmoid(get<kWhole>(s + c + v * kLanes, n));
    for (int64_t at = c; at < pixels * channels; at += channels) {
      for (int v = 0; v < V; ++v) {
        const Vec d = get<kWhole>(dy + at + v * kLanes, n);
        sums[v] += d * get<kWhole>(x + at + v * kLanes, n);
        put<kWhole>(dx + at + v * kLanes, d * factors[v], n);
      }
    }
    for (int v = 0; v < V; ++v) put<kWhole>(ds + c + v * kLanes, sums[v] * hard_sigmoid_slope(get<kWhole>(s + c + v * kLanes, n)), n);
  });
}

template <typename T>
constexpr SqueezeExciteLoops<T> loops() {
  return {mean<T>, mean_backward<T>, excite<T>, excite_backward<T>};
}

}  // namespace

const SqueezeExciteKernels& squeeze_excite_kernels() {
  static constexpr SqueezeExciteKernels kernels{loops<float>(), loops<bf16>()};
  return kernels;
}

}  // namespace motley::kernels::MOTLEY_ISA
