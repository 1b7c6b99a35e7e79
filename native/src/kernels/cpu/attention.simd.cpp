// SPDX-License-Identifier: Apache-2.0
// A tile of keys and values is brought into panels of float32 once and serves all queries of the call. kRows query rows go
// together: their scores are (kRows x 2 vectors) register tiles over the head's elements, their outputs (kRows x 2 vectors)
// tiles over the keys.
// Queries are scaled by log2 e as well, so that weights are powers of two.
#include "kernels/cpu/attention.h"

#include "kernels/cpu/online_softmax.h"

namespace motley::kernels::MOTLEY_ISA {
namespace {

#if defined(__AVX512F__)
constexpr int kRows = 12;
#else
constexpr int kRows = 6;
#endif
constexpr int kVectors = 2;
constexpr int64_t kPanel = kVectors * kLanes;  // keys
static_assert(kRows <= kAttentionRows);

struct Scratch {
  float *keys, *values, *scores, *queries, *out, *largest, *total;
  int64_t head;  // padded to whole vectors
};

Scratch divide(float* memory, int64_t head, int64_t queries) {
  Scratch s;
  s.head = (head + kLanes - 1) / kLanes * kLanes;
  s.keys = memory;
  s.values = s.keys + s.head * kAttentionKeys;
  s.scores = s.values + s.head * kAttentionKeys;
  s.queries = s.scores + kRows * kAttentionKeys;
  s.out = s.queries + (queries + kRows) * s.head;
  s.largest = s.out + (queries + kRows) * s.head;
  s.total = s.largest + queries + kRows;
  return s;
}

// to (n, padded) = factor * n rows of `width` elements, zero beyond
template <typename T>
void widen_rows(const T* from, int64_t stride, int64_t n, int64_t width, int64_t padded, float factor, float* to) {
  for (int64_t i = 0; i < n; ++i, from += stride, to += padded) {
    for_each_vector(width, [&]<bool kWhole>(int64_t c, int64_t rest) { store(to + c, get<kWhole>(from + c, rest) * factor); });
  }
}

// Keys k (n, head) as panels of kPanel columns: to[(j / kPanel * head + c) * kPanel + j % kPanel], zero beyond n
template <typename T>
void pack_keys(const T* k, int64_t stride, int64_t n, int64_t head, float* to) {
  for (int64_t j = 0; j < (n + kPanel - 1) / kPanel * kPanel; j += kLanes) {
    float* panel = to + j / kPanel * kPanel * head + j % kPanel;
    for (int64_t c = 0; c < head; c += kLanes) {
      const int64_t left = head - c;
      Vec block[kLanes];
#pragma GCC unroll 16
      for (int i = 0; i < kLanes; ++i) {
        const T* row = k + (j + i) * stride + c;
        block[i] = j + i >= n ? Vec{} : left >= kLanes ? load(row) : load_part(row, left);
      }
      transpose_block(block);
      for (int i = 0; i < kLanes && i < left; ++i) store(panel + (c + i) * kPanel, block[i]);
    }
  }
}

// scores[r][0 .. kPanel) = q_r . the keys of a panel
void score_tile(const float* q, int64_t q_stride, const float* panel, int64_t head, float* scores) {
  Vec s[kRows][kVectors];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) s[r][v] = Vec{};
  }
  for (int64_t c = 0; c < head; ++c, panel += kPanel) {
    Vec k[kVectors];
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) k[v] = load(panel + v * kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const Vec x = splat(q[r * q_stride + c]);
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) multiply_add(x, k[v], s[r][v]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) store(scores + r * kAttentionKeys + v * kLanes, s[r][v]);
  }
}

// out[r] = out[r] * keep[r] + sum_j weights[r][j] * values[j], over kVecs vectors of the head; keep null: out was empty
template <int kVecs>
void value_tile(const float* weights, const float* values, int64_t n, const float* keep, float* out, int64_t head) {
  Vec o[kRows][kVecs];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < kVecs; ++v) o[r][v] = keep == nullptr ? Vec{} : load(out + r * head + v * kLanes) * keep[r];
  }
  for (int64_t j = 0; j < n; ++j, values += head) {
    Vec x[kVecs];
#pragma GCC unroll 16
    for (int v = 0; v < kVecs; ++v) x[v] = load(values + v * kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const Vec w = splat(weights[r * kAttentionKeys + j]);
#pragma GCC unroll 16
      for (int v = 0; v < kVecs; ++v) multiply_add(w, x[v], o[r][v]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < kVecs; ++v) store(out + r * head + v * kLanes, o[r][v]);
  }
}

template <typename T>
void head(const AttentionShape& shape, const T* q, const T* k, const T* v, T* out, float* scratch) {
  const Scratch s = divide(scratch, shape.head, shape.queries);
  for (int64_t i = 0; i < shape.queries + kRows; ++i) s.largest[i] = kMasked, s.total[i] = 0;
  const int64_t last = shape.causal ? shape.first_query + shape.queries : shape.keys;
  const int64_t keys = last < shape.keys ? last : shape.keys;
  widen_rows(q, shape.q_stride, shape.queries, shape.head, s.head, shape.scale * kLog2E, s.queries);
  for (int64_t i = shape.queries * s.head; i < (shape.queries + kRows) * s.head; ++i) s.queries[i] = 0;
  for (int64_t first = 0; first < keys; first += kAttentionKeys) {
    const int64_t n = keys - first < kAttentionKeys ? keys - first : kAttentionKeys;
    pack_keys(k + first * shape.k_stride, shape.k_stride, n, shape.head, s.keys);
    widen_rows(v + first * shape.v_stride, shape.v_stride, n, shape.head, s.head, 1.0f, s.values);
    for (int64_t i = 0; i < shape.queries; i += kRows) {
      const int64_t rows = shape.queries - i < kRows ? shape.queries - i : kRows;
      for (int64_t j = 0; j < n; j += kPanel) score_tile(s.queries + i * s.head, s.head, s.keys + j * shape.head, shape.head, s.scores + j);
      float keep[kRows] = {};
      for (int64_t r = 0; r < rows; ++r) {
        int64_t seen = n;
        if (shape.causal) {
          const int64_t visible = shape.first_query + i + r + 1 - first;
          seen = visible < 0 ? 0 : visible < n ? visible : n;
        }
        float* scores = s.scores + r * kAttentionKeys;
        keep[r] = soften(scores, 1.0f, n, seen, kLanes, s.largest + i + r, s.total + i + r, scores);
      }
      float* o = s.out + i * s.head;
      const float* kept = first > 0 ? keep : nullptr;
      int64_t c = 0;
      for (; c + kVectors * kLanes <= s.head; c += kVectors * kLanes) value_tile<kVectors>(s.scores, s.values + c, n, kept, o + c, s.head);
      if (c < s.head) value_tile<1>(s.scores, s.values + c, n, kept, o + c, s.head);
    }
  }
  for (int64_t i = 0; i < shape.queries; ++i) {
    const Vec share = splat(1.0f / s.total[i]);
    const float* o = s.out + i * s.head;
    T* to = out + i * shape.out_stride;
    for_each_vector(shape.head, [&]<bool kWhole>(int64_t c, int64_t n) { put<kWhole>(to + c, load(o + c) * share, n); });
  }
}

}  // namespace

const AttentionKernels& attention_kernels() {
  static constexpr AttentionKernels kernels = {{head<float>}, {head<bf16>}, {head<half>}};
  return kernels;
}

}  // namespace motley::kernels::MOTLEY_ISA
