// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/rowwise.h"

#include "kernels/cpu/vec.h"

namespace motley::kernels::MOTLEY_ISA {
namespace {

// Sum of f(x[c]) over a row, in four chains.
template <typename T, typename F>
float row_sum(const T* x, int64_t width, const F& f) {
  Vec s[4] = {};
  int64_t c = 0;
  for (; c + 4 * kLanes <= width; c += 4 * kLanes) {
    for (int v = 0; v < 4; ++v) s[v] += f(load(x + c + v * kLanes));
  }
  for (; c + kLanes <= width; c += kLanes) s[0] += f(load(x + c));
  float total = tree_sum((s[0] + s[1]) + (s[2] + s[3]));
  if (c < width) {
    const Vec last = f(load_part(x + c, width - c));
    for (int64_t i = 0; i < width - c; ++i) total += last[i];
  }
  return total;
}

template <typename T>
void layer_norm(const T* x, T* y, int64_t rows, int64_t width, double eps, const float* weight, const float* bias) {
  for (int64_t r = 0; r < rows; ++r, x += width, y += width) {
    const float mean = row_sum(x, width, [](Vec v) { return v; }) / static_cast<float>(width);
    const float spread = row_sum(x, width, [mean](Vec v) { return (v - mean) * (v - mean); });
    const float rstd = static_cast<float>(1.0 / __builtin_sqrt(static_cast<double>(spread) / static_cast<double>(width) + eps));
    for_each_vector(width, [&]<bool kWhole>(int64_t c, int64_t n) {
      const Vec v = (get<kWhole>(x + c, n) - mean) * rstd;
      put<kWhole>(y + c, v * get<kWhole>(weight + c, n) + get<kWhole>(bias + c, n), n);
    });
  }
}

template <typename T>
void geglu(const T* x, T* y, int64_t rows, int64_t width) {
  for (int64_t r = 0; r < rows; ++r, x += 2 * width, y += width) {
    const T* gate = x + width;
    for_each_vector(width, [&]<bool kWhole>(int64_t c, int64_t n) {
      put<kWhole>(y + c, get<kWhole>(x + c, n) * MOTLEY_ISA::gelu(get<kWhole>(gate + c, n)), n);
    });
  }
}

template <typename T, typename F>
void map(const T* x, T* y, int64_t n, const F& f) {
  for_each_vector(n, [&]<bool kWhole>(int64_t i, int64_t k) { put<kWhole>(y + i, f(get<kWhole>(x + i, k)), k); });
}

template <typename T>
void map_gelu(const T* x, T* y, int64_t n) { map(x, y, n, [](Vec v) { return gelu(v); }); }
template <typename T>
void map_quick_gelu(const T* x, T* y, int64_t n) { map(x, y, n, [](Vec v) { return quick_gelu(v); }); }
template <typename T>
void map_silu(const T* x, T* y, int64_t n) { map(x, y, n, [](Vec v) { return silu(v); }); }

template <typename T>
constexpr RowwiseFunctions<T> functions() {
  return {layer_norm<T>, geglu<T>, map_gelu<T>, map_quick_gelu<T>, map_silu<T>};
}

}  // namespace

const RowwiseKernels& rowwise_kernels() {
  static constexpr RowwiseKernels kernels = {functions<float>(), functions<bf16>(), functions<half>()};
  return kernels;
}

}  // namespace motley::kernels::MOTLEY_ISA
