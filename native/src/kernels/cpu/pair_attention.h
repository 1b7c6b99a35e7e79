// SPDX-License-Identifier: Apache-2.0
// Attention (attention.h) of bf16 rows on units that multiply pairs. Keys and values of a head are brought into pairs once, for
// all queries; weights are rounded to bf16 before they meet the values, sums are float32.
#pragma once

#include "kernels/cpu/attention.h"
#include "kernels/cpu/pairs.h"

namespace motley::kernels {

/// Keys and values of one head, as the unit multiplies by them.
struct PairHead {
  const bf16 *keys, *values;  // of pair_keys_size and pair_values_size elements
};
int64_t pair_keys_size(int64_t keys, int64_t head);
int64_t pair_values_size(int64_t keys, int64_t head);
void pack_pair_keys(const bf16* k, int64_t stride, int64_t keys, int64_t head, bf16* to);
void pack_pair_values(const bf16* v, int64_t stride, int64_t keys, int64_t head, bf16* to);

struct PairAttentionKernels {
  /// Scores (rows, stride) of a tile of n keys to weights; output (rows, columns) of the tiles before shrinks by what they say.
  /// Row r sees the first seen[r] keys.
  void (*soften)(const float* scores, int64_t stride, int64_t rows, int64_t n, const int64_t* seen, float factor, float* largest,
                 float* total, bf16* weights, float* output, int64_t columns);
  /// out (rows, out_stride) = output / total, `head` columns
  void (*finish)(const float* output, int64_t columns, const float* total, int64_t rows, int64_t head, bf16* out, int64_t out_stride);
};
const PairAttentionKernels& pair_attention_kernels();

/// Scratch of a thread for heads of that size.
class PairAttention {
 public:
  explicit PairAttention(int64_t head);
  ~PairAttention();
  PairAttention(const PairAttention&) = delete;
  PairAttention& operator=(const PairAttention&) = delete;

  /// Any number of queries; k_stride and v_stride are not read.
  void run(const AttentionShape& shape, const bf16* q, const PairHead& head, bf16* out);

 private:
  void run_rows(const AttentionShape& shape, int64_t first, int64_t rows, const bf16* q, const PairHead& head, bf16* out);

  const PairUnit& unit_;
  const int64_t rows_, depth_, columns_;
  Scratch scores_, weights_, queries_, output_, state_;
};

}  // namespace motley::kernels
