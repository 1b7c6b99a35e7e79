// SPDX-License-Identifier: Apache-2.0
// Scaled dot-product attention of one head, with the softmax computed online over tiles of keys: memory does not grow with
// queries * keys. Rows are taken where the projections left them, heads side by side, so nothing is transposed first.
#pragma once

#include <cstdint>

#include "kernels/cpu/element.h"

namespace motley::kernels {

struct AttentionShape {
  int64_t queries, keys, head;  // head: elements of one head
  int64_t q_stride, k_stride, v_stride, out_stride;
  int64_t first_query;  // position of query 0, for the causal mask
  bool causal;          // query i sees keys 0 .. first_query + i
  float scale;          // of the scores, head^-0.5
};

constexpr float kLog2E = 1.44269504f;  // scores are scaled by it, too, so that weights are powers of two
constexpr float kMasked = -3.0e38f;    // below any score: the largest so far before the first; its weight is set to 0, not computed

constexpr int64_t kAttentionKeys = 256;  // keys of a tile: a packed tile of 160-wide heads and its scores stay in L2
constexpr int64_t kAttentionRows = 12;   // query rows of a register tile, at most

template <typename T>
struct AttentionFunctions {
  /// out = softmax(scale * q k^T) v . scratch: attention_scratch(head, queries) floats.
  void (*head)(const AttentionShape& shape, const T* q, const T* k, const T* v, T* out, float* scratch);
};

using AttentionKernels = ByElement<AttentionFunctions>;
const AttentionKernels& attention_kernels();

template <typename T>
const AttentionFunctions<T>& attention_functions() {
  return attention_kernels().of<T>();
}

/// Queries to give to a kernel at once: as many as make little of bringing in the keys and values for them, and their state still
/// stays in the second-level cache. Each has its result alone, however many they are.
int64_t attention_queries(int64_t head, int64_t queries);
/// Floats of scratch that a kernel needs for so many.
int64_t attention_scratch(int64_t head, int64_t queries);

namespace reference {
/// One head in float64; out (queries, head) dense.
void attention(const AttentionShape& shape, const float* q, const float* k, const float* v, double* out);
}  // namespace reference

}  // namespace motley::kernels
