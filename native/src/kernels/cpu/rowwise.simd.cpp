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
  const int64_t whole = width / kLanes * kLanes, rest = width - whole;
  for (int64_t r = 0; r < rows; ++r, x += width, y += width) {
    const float mean = row_sum(x, width, [](Vec v) { return v; }) / static_cast<float>(width);
    const float spread = row_sum(x, width, [mean](Vec v) { return (v - mean) * (v - mean); });
    const float rstd = static_cast<float>(1.0 / __builtin_sqrt(static_cast<double>(spread) / static_cast<double>(width) + eps));
    for (int64_t c = 0; c < whole; c += kLanes) {
      store(y + c, (load(x + c) - mean) * rstd * load(weight + c) + load(bias + c));
    }
    if (rest != 0) {
      const Vec v = (load_part(x + whole, rest) - mean) * rstd;
      store_part(y + whole, v * load_part(weight + whole, rest) + load_part(bias + whole, rest), rest);
    }
  }
}

template <typename T>
void geglu(const T* x, T* y, int64_t rows, int64_t width) {
  const int64_t whole = width / kLanes * kLanes, rest = width - whole;
  for (int64_t r = 0; r < rows; ++r, x += 2 * width, y += width) {
    const T* gate = x + width;
    for (int64_t c = 0; c < whole; c += kLanes) store(y + c, load(x + c) * MOTLEY_ISA::gelu(load(gate + c)));
    if (rest != 0) store_part(y + whole, load_part(x + whole, rest) * MOTLEY_ISA::gelu(load_part(gate + whole, rest)), rest);
  }
}

template <typename T, typename F>
void map(const T* x, T* y, int64_t n, const F& f) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, f(load(x + i)));
  if (i < n) store_part(y + i, f(load_part(x + i, n - i)), n - i);
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
  static constexpr RowwiseKernels kernels = {functions<float>(), functions<bf16>()};
  return kernels;
}

}  // namespace motley::kernels::MOTLEY_ISA
