// SPDX-License-Identifier: Apache-2.0
// Rows are brought to float32 first, padded with zeros to whole vectors; every product is then one of register tiles over them.
// Queries are scaled by log2 e as well, so that weights are powers of two.
#include "kernels/cpu/short_attention.h"

#include "kernels/cpu/online_softmax.h"

namespace motley::kernels::MOTLEY_ISA {
namespace {

#if defined(__AVX512F__)
constexpr int kRows = 12;
#else
constexpr int kRows = 6;
#endif
constexpr int kVectors = 2;
constexpr float kLn2 = 0.693147181f;

int64_t padded(int64_t n) { return (n + kLanes - 1) / kLanes * kLanes; }

// A matrix whose element (i, k) lies at data[i * row + k * step].
struct Factor {
  const float* data;
  int64_t row, step;
};
Factor rows_of(const float* data, int64_t width) { return {data, width, 1}; }
Factor columns_of(const float* data, int64_t width) { return {data, 1, width}; }

// R rows of V vectors of c (+)= a b; b (depth, width), c (rows, width)
template <int R, int V>
void tile(const Factor& a, const float* b, int64_t depth, int64_t width, bool add, float* c) {
  Vec sums[R][V];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) sums[r][v] = add ? load(c + r * width + v * kLanes) : Vec{};
  }
  const float* x = a.data;
  for (int64_t k = 0; k < depth; ++k, b += width, x += a.step) {
    Vec column[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) column[v] = load(b + v * kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const Vec factor = splat(x[r * a.row]);
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) multiply_add(factor, column[v], sums[r][v]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) store(c + r * width + v * kLanes, sums[r][v]);
  }
}

using Tile = void (*)(const Factor&, const float*, int64_t, int64_t, bool, float*);

template <int V>
Tile tile_of(int64_t rows) {
  switch (rows) {
    case 1: return tile<1, V>;
    case 2: return tile<2, V>;
    case 3: return tile<3, V>;
    case 4: return tile<4, V>;
    case 5: return tile<5, V>;
#if defined(__AVX512F__)
    case 6: return tile<6, V>;
    case 7: return tile<7, V>;
    case 8: return tile<8, V>;
    case 9: return tile<9, V>;
    case 10: return tile<10, V>;
    case 11: return tile<11, V>;
#endif
    default: return tile<kRows, V>;
  }
}

// c (rows, width) (+)= a b; a (rows, depth), b (depth, width), width of whole vectors
void product(const Factor& a, const float* b, int64_t rows, int64_t depth, int64_t width, bool add, float* c) {
  for (int64_t j = 0; j < width; j += kVectors * kLanes) {
    const bool two = j + kVectors * kLanes <= width;
    for (int64_t i = 0; i < rows; i += kRows) {
      const int64_t left = rows - i;
      const Tile run = two ? tile_of<kVectors>(left) : tile_of<1>(left);
      run({a.data + i * a.row, a.row, a.step}, b + j, depth, width, add, c + i * width + j);
    }
  }
}

// to (n, width) = factor * n rows of `count` elements, zero beyond
template <typename T>
void widen(const T* from, int64_t stride, int64_t n, int64_t count, int64_t width, float factor, float* to) {
  for (int64_t i = 0; i < n; ++i, from += stride, to += width) {
    for_each_vector(count, [&]<bool kWhole>(int64_t c, int64_t rest) { store(to + c, get<kWhole>(from + c, rest) * factor); });
  }
}

// to (count up to a vector, columns) = n rows of `count` elements as columns, zero beyond
template <typename T>
void widen_turned(const T* from, int64_t stride, int64_t n, int64_t count, int64_t columns, float* to) {
  for (int64_t j = 0; j < columns; j += kLanes) {
    for (int64_t c = 0; c < count; c += kLanes) {
      const int64_t left = count - c;
      Vec block[kLanes];
#pragma GCC unroll 16
      for (int i = 0; i < kLanes; ++i) {
        const T* row = from + (j + i) * stride + c;
        block[i] = j + i >= n ? Vec{} : left >= kLanes ? load(row) : load_part(row, left);
      }
      transpose_block(block);
#pragma GCC unroll 16
      for (int i = 0; i < kLanes; ++i) store(to + (c + i) * columns + j, block[i]);
    }
  }
}

// n rows of `count` elements = factor * from (n, width)
template <typename T>
void narrow(const float* from, int64_t width, int64_t n, int64_t count, float factor, T* to, int64_t stride) {
  for (int64_t i = 0; i < n; ++i, from += width, to += stride) {
    for_each_vector(count, [&]<bool kWhole>(int64_t c, int64_t rest) { put<kWhole>(to + c, load(from + c) * factor, rest); });
  }
}

// Scores of a row become weights that sum to 1, 0 beyond the keys.
void weigh(float* scores, int64_t keys) {
  float largest = kMasked, total = 0;
  soften(scores, 1.0f, keys, keys, kLanes, &largest, &total, scores);
  const Vec share = splat(1.0f / total);
  for (int64_t j = 0; j < keys; j += kLanes) store(scores + j, load(scores + j) * share);
}

// to = row * factors (keys of them, or null)
void drop(const float* row, const float* factors, int64_t keys, float* to) {
  for_each_vector(keys, [&]<bool kWhole>(int64_t j, int64_t n) { store(to + j, load(row + j) * get<kWhole>(factors + j, n)); });
}

// weights (rows, columns) of queries from `first` on
template <typename T>
void weigh_queries(const SelfAttentionShape& s, const T* q, int64_t first, int64_t rows, const float* turned_keys, int64_t columns,
                   float* queries, float* weights) {
  const int64_t width = padded(s.head);
  widen(q + first * s.stride, s.stride, rows, s.head, width, s.scale * kLog2E, queries);
  product(rows_of(queries, width), turned_keys, rows, s.head, columns, false, weights);
  for (int64_t i = 0; i < rows; ++i) weigh(weights + i * columns, s.tokens);
}

template <typename T>
void forward(const SelfAttentionShape& s, const T* q, const T* k, const T* v, const float* factors, T* out, float* scratch) {
  const int64_t width = padded(s.head), columns = padded(s.tokens), most = short_attention_queries(s.tokens);
  float *keys = scratch, *values = keys + width * columns, *queries = values + width * columns;
  float *result = queries + most * width, *weights = result + most * width;
  widen_turned(k, s.stride, s.tokens, s.head, columns, keys);
  widen(v, s.stride, s.tokens, s.head, width, 1.0f, values);
  for (int64_t first = 0; first < s.tokens; first += most) {
    const int64_t rows = s.tokens - first < most ? s.tokens - first : most;
    weigh_queries(s, q, first, rows, keys, columns, queries, weights);
    for (int64_t i = 0; factors != nullptr && i < rows; ++i)
      drop(weights + i * columns, factors + (first + i) * s.tokens, s.tokens, weights + i * columns);
    product(rows_of(weights, columns), values, rows, s.tokens, width, false, result);
    narrow(result, width, rows, s.head, 1.0f, out + first * s.out_stride, s.out_stride);
  }
}

// slopes = weights * (slopes - the mean of the slopes under the weights): the gradient behind the softmax
void slope(const float* weights, int64_t columns, float* slopes) {
  Vec sums = {};
  for (int64_t j = 0; j < columns; j += kLanes) sums += load(weights + j) * load(slopes + j);
  const float mean = tree_sum(sums);
  for (int64_t j = 0; j < columns; j += kLanes) store(slopes + j, load(weights + j) * (load(slopes + j) - mean));
}

template <typename T>
void backward(const SelfAttentionShape& s, const T* q, const T* k, const T* v, const float* factors, const T* dout, T* dq, T* dk, T* dv,
              float* scratch) {
  const int64_t width = padded(s.head), columns = padded(s.tokens), most = short_attention_queries(s.tokens), matrix = width * columns;
  float *keys = scratch, *turned_keys = keys + matrix, *turned_values = turned_keys + matrix;
  float *keys_gradient = turned_values + matrix, *values_gradient = keys_gradient + matrix, *queries = values_gradient + matrix;
  float *result_gradient = queries + most * width, *queries_gradient = result_gradient + most * width;
  float *weights = queries_gradient + most * width, *slopes = weights + most * columns;
  widen(k, s.stride, s.tokens, s.head, width, 1.0f, keys);
  widen_turned(k, s.stride, s.tokens, s.head, columns, turned_keys);
  widen_turned(v, s.stride, s.tokens, s.head, columns, turned_values);
  for (int64_t first = 0; first < s.tokens; first += most) {
    const int64_t rows = s.tokens - first < most ? s.tokens - first : most;
    const bool add = first > 0;
    weigh_queries(s, q, first, rows, turned_keys, columns, queries, weights);
    widen(dout + first * s.out_stride, s.out_stride, rows, s.head, width, 1.0f, result_gradient);
    product(rows_of(result_gradient, width), turned_values, rows, s.head, columns, false, slopes);
    for (int64_t i = 0; i < rows; ++i) {
      const float* factor = factors + (factors == nullptr ? 0 : (first + i) * s.tokens);
      float *weight = weights + i * columns, *own = slopes + i * columns;
      if (factors != nullptr) drop(own, factor, s.tokens, own);
      slope(weight, columns, own);
      if (factors != nullptr) drop(weight, factor, s.tokens, weight);
    }
    product(columns_of(weights, columns), result_gradient, s.tokens, rows, width, add, values_gradient);
    product(columns_of(slopes, columns), queries, s.tokens, rows, width, add, keys_gradient);
    product(rows_of(slopes, columns), keys, rows, s.tokens, width, false, queries_gradient);
    narrow(queries_gradient, width, rows, s.head, s.scale, dq + first * s.stride, s.stride);
  }
  narrow(keys_gradient, width, s.tokens, s.head, kLn2, dk, s.stride);  // the queries above are scaled, by log2 e as well
  narrow(values_gradient, width, s.tokens, s.head, 1.0f, dv, s.stride);
}

}  // namespace

const ShortAttentionKernels& short_attention_kernels() {
  static constexpr ShortAttentionKernels kernels = {
      {forward<float>, backward<float>}, {forward<bf16>, backward<bf16>}, {forward<half>, backward<half>}};
  return kernels;
}

}  // namespace motley::kernels::MOTLEY_ISA
