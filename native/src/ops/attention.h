// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "libtorch/tensor.h"

namespace motley::ops {

/// Heads inside a wider matrix: rows (N, T, W) of which head h takes columns [column + h * d, column + (h + 1) * d).
struct HeadView {
  const Tensor& rows;
  int64_t column;
};

/// softmax(q k^T / sqrt(d)) v per head -> (N, Tq, heads * d). Image n takes its keys and values from entry which[n], or from
/// entry n where `which` is null. causal: query i sees keys 0 .. i. Inference only.
Tensor attention(const HeadView& q, const HeadView& k, const HeadView& v, int64_t heads, int64_t head_size, bool causal,
                 const int32_t* which = nullptr);

/// The same of a sequence with itself, from one matrix qkv (N, T, 3 * heads * d): queries, keys, values. Weights are multiplied by
/// factors (N, heads, T, T) f32, dropout's, if they are defined. Differentiable in qkv.
Tensor self_attention(const Tensor& qkv, int64_t heads, const Tensor& factors = {});

}  // namespace motley::ops
