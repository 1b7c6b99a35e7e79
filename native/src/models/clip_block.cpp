// SPDX-License-Identifier: Apache-2.0
#include "models/clip_block.h"

#include "ops/attention.h"
#include "ops/normalise.h"

namespace motley {

ClipTransformer::Block take_clip_block(const Taker& t, int64_t width, int64_t mlp_width) {
  ClipTransformer::Block b;
  b.norm1 = t.norm("layer_norm1", width);
  b.qkv = t.dense_joined({"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"}, width, width, true);
  b.out = t.dense("self_attn.out_proj", width, width);
  b.norm2 = t.norm("layer_norm2", width);
  b.fc1 = t.dense("mlp.fc1", mlp_width, width);
  b.fc2 = t.dense("mlp.fc2", width, mlp_width);
  return b;
}

Tensor clip_transformer(const ClipTransformer& m, Tensor x, bool causal) {
  for (const ClipTransformer::Block& b : m.blocks) {
    const Tensor qkv = apply(b.qkv, ops::layer_norm(x, m.norm_eps, b.norm1.weight, b.norm1.bias));
    const Tensor a = ops::attention({qkv, 0}, {qkv, m.width}, {qkv, 2 * m.width}, m.heads, m.width / m.heads, causal);
    x = apply(b.out, a, x);
    const Tensor h = apply(b.fc1, ops::layer_norm(x, m.norm_eps, b.norm2.weight, b.norm2.bias), {}, m.activation);
    x = apply(b.fc2, h, x);
  }
  return x;
}

}  // namespace motley
