// SPDX-License-Identifier: Apache-2.0
// Self-attention of one head with its weights there all at once, for the short sequences that classifiers train on: forward, with
// dropout of the weights, and backward. A few hundred queries are taken at a time, so that longer sequences are right, too.
// Arithmetic is float32; sums are in an order that depends on the lengths alone.
#pragma once

#include <cstdint>

#include "kernels/cpu/element.h"

namespace motley::kernels {

struct SelfAttentionShape {
  int64_t tokens, head;        // head: elements of one head
  int64_t stride, out_stride;  // between the rows of q, k, v and their gradients; between those of the result and its gradient
  float scale;                 // of the scores, head^-0.5
};

template <typename T>
struct ShortAttentionFunctions {
  /// out = (softmax(scale * q k^T) * factors) v. factors (tokens, tokens): dropout's, or null. scratch: short_attention_scratch().
  void (*forward)(const SelfAttentionShape& shape, const T* q, const T* k, const T* v, const float* factors, T* out, float* scratch);
  /// From dout to dq, dk, dv, which lie as q, k, v do. scratch: short_attention_backward_scratch().
  void (*backward)(const SelfAttentionShape& shape, const T* q, const T* k, const T* v, const float* factors, const T* dout, T* dq, T* dk,
                   T* dv, float* scratch);
};

using ShortAttentionKernels = ByElement<ShortAttentionFunctions>;
const ShortAttentionKernels& short_attention_kernels();

/// Queries that are taken at once.
int64_t short_attention_queries(int64_t tokens);
/// Floats of scratch.
int64_t short_attention_scratch(int64_t tokens, int64_t head);
int64_t short_attention_backward_scratch(int64_t tokens, int64_t head);

/// All heads of all images: qkv (images, tokens, 3 * heads * head), queries first, then keys, then values -> out (images, tokens,
/// heads * head). factors (images, heads, tokens, tokens) or null. On all threads.
template <typename T>
void self_attention(int64_t images, int64_t tokens, int64_t heads, int64_t head, const T* qkv, const float* factors, T* out);
/// dqkv, as qkv, from dout, as out.
template <typename T>
void self_attention_backward(int64_t images, int64_t tokens, int64_t heads, int64_t head, const T* qkv, const float* factors, const T* dout,
                             T* dqkv);

namespace reference {
/// One head in float64, its rows dense; factors may be null.
void self_attention_backward(int64_t tokens, int64_t head, const double* q, const double* k, const double* v, const double* factors,
                             const double* dout, double* dq, double* dk, double* dv);
}  // namespace reference

}  // namespace motley::kernels
