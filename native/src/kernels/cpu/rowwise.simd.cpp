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
void layer_norm(const T* x, T* y, int64_t rows, int64_t width, double eps, const float* weight, const float* bias, float* moments) {
  for (int64_t r = 0; r < rows; ++r, x += width, y += width) {
    const float mean = row_sum(x, width, [](Vec v) { return v; }) / static_cast<float>(width);
    const float spread = row_sum(x, width, [mean](Vec v) { return (v - mean) * (v - mean); });
    const float rstd = static_cast<float>(1.0 / __builtin_sqrt(static_cast<double>(spread) / static_cast<double>(width) + eps));
    if (moments != nullptr) moments[2 * r] = mean, moments[2 * r + 1] = rstd;
    for_each_vector(width, [&]<bool kWhole>(int64_t c, int64_t n) {
      const Vec v = (get<kWhole>(x + c, n) - mean) * rstd;
      put<kWhole>(y + c, v * get<kWhole>(weight + c, n) + get<kWhole>(bias + c, n), n);
    });
  }
}

// What a row's gradient takes off: the means of dy * weight, and of that times the normalised row.
template <typename T>
void layer_norm_means(const T* dy, const T* x, int64_t width, const float* weight, float mean, float rstd, float* plain, float* product) {
  Vec s[2] = {}, p[2] = {};
  int64_t c = 0;
  const auto step = [&](int chain, Vec g, Vec v) {
    s[chain] += g;
    p[chain] += g * ((v - mean) * rstd);
  };
  for (; c + 2 * kLanes <= width; c += 2 * kLanes) {
    for (int v = 0; v < 2; ++v) step(v, load(dy + c + v * kLanes) * load(weight + c + v * kLanes), load(x + c + v * kLanes));
  }
  if (c + kLanes <= width) step(0, load(dy + c) * load(weight + c), load(x + c)), c += kLanes;
  if (c < width) step(1, load_part(dy + c, width - c) * load_part(weight + c, width - c), load_part(x + c, width - c));
  *plain = tree_sum(s[0] + s[1]) / static_cast<float>(width);
  *product = tree_sum(p[0] + p[1]) / static_cast<float>(width);
}

// kRows rows at a time, so that the parameters' sums so far are passed once for all of them.
template <int kRows, bool kAdds, typename T>
void layer_norm_backward_rows(const T* dy, const T* x, int64_t width, const float* weight, const float* moments, const T* added, T* dx,
                              float* dweight, float* dbias) {
  float plain[kRows], product[kRows];
  for (int r = 0; r < kRows; ++r) {
    layer_norm_means(dy + r * width, x + r * width, width, weight, moments[2 * r], moments[2 * r + 1], plain + r, product + r);
  }
  for_each_vector(width, [&]<bool kWhole>(int64_t c, int64_t n) {
    const Vec w = get<kWhole>(weight + c, n);
    Vec products = {}, sum = {};
    for (int r = 0; r < kRows; ++r) {
      const int64_t at = r * width + c;
      const Vec d = get<kWhole>(dy + at, n), normalised = (get<kWhole>(x + at, n) - moments[2 * r]) * moments[2 * r + 1];
      products += d * normalised;
      sum += d;
      Vec g = (d * w - plain[r] - normalised * product[r]) * moments[2 * r + 1];
      if constexpr (kAdds) g += get<kWhole>(added + at, n);
      put<kWhole>(dx + at, g, n);
    }
    put<kWhole>(dweight + c, get<kWhole>(dweight + c, n) + products, n);
    put<kWhole>(dbias + c, get<kWhole>(dbias + c, n) + sum, n);
  });
}

template <bool kAdds, typename T>
void layer_norm_backward_as(const T* dy, const T* x, int64_t rows, int64_t width, const float* weight, const float* moments, const T* added,
                            T* dx, float* dweight, float* dbias) {
  constexpr int kTogether = 4;
  for (int64_t c = 0; c < width; ++c) dweight[c] = dbias[c] = 0;
  int64_t r = 0;
  const auto rows_from = [&]<int kRows>() {
    const int64_t at = r * width;
    layer_norm_backward_rows<kRows, kAdds>(dy + at, x + at, width, weight, moments + 2 * r, added + (kAdds ? at : 0), dx + at, dweight,
                                           dbias);
    r += kRows;
  };
  while (r + kTogether <= rows) rows_from.template operator()<kTogether>();
  while (r < rows) rows_from.template operator()<1>();
}

template <typename T>
void layer_norm_backward(const T* dy, const T* x, int64_t rows, int64_t width, const float* weight, const float* moments, const T* added,
                         T* dx, float* dweight, float* dbias) {
  const auto run = added != nullptr ? layer_norm_backward_as<true, T> : layer_norm_backward_as<false, T>;
  run(dy, x, rows, width, weight, moments, added, dx, dweight, dbias);
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
void map_gelu(const T* x, T* y, int64_t n) {
  map(x, y, n, [](Vec v) { return gelu(v); });
}
template <typename T>
void map_quick_gelu(const T* x, T* y, int64_t n) {
  map(x, y, n, [](Vec v) { return quick_gelu(v); });
}
template <typename T>
void map_silu(const T* x, T* y, int64_t n) {
  map(x, y, n, [](Vec v) { return silu(v); });
}
template <typename T>
void map_relu(const T* x, T* y, int64_t n) {
  map(x, y, n, [](Vec v) { return max(Vec{}, v); });
}  // in this order a NaN stays one
template <typename T>
void map_hard_swish(const T* x, T* y, int64_t n) {
  map(x, y, n, [](Vec v) { return hard_swish(v); });
}

template <typename T, typename F>
void map_backward(const T* dy, const T* x, T* dx, int64_t n, const F& gradient) {
  for_each_vector(
      n, [&]<bool kWhole>(int64_t i, int64_t k) { put<kWhole>(dx + i, gradient(get<kWhole>(dy + i, k), get<kWhole>(x + i, k)), k); });
}

template <typename T>
void gelu_backward(const T* dy, const T* x, T* dx, int64_t n) {
  map_backward(dy, x, dx, n, [](Vec d, Vec v) { return d * gelu_slope(v); });
}
template <typename T>
void relu_backward(const T* dy, const T* x, T* dx, int64_t n) {
  map_backward(dy, x, dx, n, [](Vec d, Vec v) { return select(v > 0.0f, d, Vec{}); });
}
template <typename T>
void hard_swish_backward(const T* dy, const T* x, T* dx, int64_t n) {
  map_backward(dy, x, dx, n, [](Vec d, Vec v) { return d * hard_swish_slope(v); });
}

template <typename T>
constexpr RowwiseFunctions<T> functions() {
  return {layer_norm<T>, layer_norm_backward<T>, geglu<T>,         map_gelu<T>,      map_quick_gelu<T>,     map_silu<T>,
          map_relu<T>,   map_hard_swish<T>,      gelu_backward<T>, relu_backward<T>, hard_swish_backward<T>};
}

}  // namespace

const RowwiseKernels& rowwise_kernels() {
  static constexpr RowwiseKernels kernels = {functions<float>(), functions<bf16>(), functions<half>()};
  return kernels;
}

}  // namespace motley::kernels::MOTLEY_ISA
