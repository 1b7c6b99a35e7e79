// SPDX-License-Identifier: Apache-2.0
#include "models/clip_text.h"

#include <algorithm>

#include "libtorch/convert.h"
#include "ops/attention.h"
#include "ops/normalise.h"

namespace motley {
namespace {

ClipText::Block take_block(const Taker& t, const motley_text_config& c) {
  ClipText::Block b;
  b.norm1 = t.norm("layer_norm1", c.width);
  b.qkv = t.dense_joined({"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"}, c.width, c.width, true);
  b.out = t.dense("self_attn.out_proj", c.width, c.width);
  b.norm2 = t.norm("layer_norm2", c.width);
  b.fc1 = t.dense("mlp.fc1", c.mlp_width, c.width);
  b.fc2 = t.dense("mlp.fc2", c.width, c.mlp_width);
  return b;
}

Tensor embed(const ClipText& model, int64_t n, const int32_t* ids) {
  const int64_t positions = model.config.positions, width = model.config.width;
  Tensor x = Tensor::empty({n, positions, width});
  float* to = x.data<float>();
  for (int64_t i = 0; i < n * positions; ++i, to += width) {
    const float* token = model.tokens.data<float>() + ids[i] * width;
    const float* position = model.positions.data<float>() + i % positions * width;
    for (int64_t c = 0; c < width; ++c) to[c] = token[c] + position[c];
  }
  return x.to(model.config.precision == MOTLEY_PRECISION_BF16 ? DType::bf16 : DType::f32);
}

}  // namespace

void check(const motley_text_config& c) {
  require(c.vocabulary > 0 && c.positions > 0 && c.width > 0 && c.layers > 0 && c.heads > 0 && c.mlp_width > 0,
          "text config: vocabulary, positions, width, layers, heads and mlp_width must be positive");
  require(c.layers <= kMostLayers && std::max(c.width, c.mlp_width) <= kWidest && std::max(c.vocabulary, c.positions) <= kMostEntries,
          "text config: at most ", kMostLayers, " layers, ", kWidest, " channels, ", kMostEntries, " tokens and positions");
  require(c.width % c.heads == 0, "text config: width ", c.width, " is not a multiple of heads ", c.heads);
  require(c.activation == MOTLEY_QUICK_GELU || c.activation == MOTLEY_GELU, "text config: unknown activation ",
          c.activation, ": expected 0 (quick_gelu) or 1 (gelu)");
  require(c.precision == MOTLEY_PRECISION_FP32 || c.precision == MOTLEY_PRECISION_BF16,
          "text config: unknown precision ", c.precision, ": expected 0 (fp32) or 1 (bf16)");
  require(c.norm_eps > 0 && c.norm_eps < 1, "text config: norm_eps must be in (0, 1), got ", c.norm_eps);
}

ClipText make_clip_text(const motley_text_config& config, const NamedTensors& weights) {
  check(config);
  Parameters parameters("text_encoder", weights);
  const bool prefixed = !parameters.has("embeddings.token_embedding.weight");
  const Taker root(parameters, config.precision == MOTLEY_PRECISION_BF16 ? DType::bf16 : DType::f32);
  const Taker t = prefixed ? root.at("text_model") : root;
  parameters.ignore(prefixed ? "text_model.embeddings.position_ids" : "embeddings.position_ids");
  ClipText model;
  model.config = config;
  model.tokens = t.table("embeddings.token_embedding.weight", config.vocabulary, config.width);
  model.positions = t.table("embeddings.position_embedding.weight", config.positions, config.width);
  for (int i = 0; i < config.layers; ++i) model.blocks.push_back(take_block(t.at(concat("encoder.layers.", i)), config));
  model.final_norm = t.norm("final_layer_norm", config.width);
  parameters.finish();
  return model;
}

Tensor clip_text(const ClipText& model, int64_t n, const int32_t* ids) {
  const motley_text_config& c = model.config;
  const auto activation = c.activation == MOTLEY_GELU ? ops::Activation::gelu : ops::Activation::quick_gelu;
  Tensor x = embed(model, n, ids);
  for (const ClipText::Block& b : model.blocks) {
    const Tensor qkv = apply(b.qkv, ops::layer_norm(x, c.norm_eps, b.norm1.weight, b.norm1.bias));
    const Tensor a = ops::attention({qkv, 0}, {qkv, c.width}, {qkv, 2 * c.width}, c.heads, c.width / c.heads, true);
    x = apply(b.out, a, x);
    const Tensor h = apply(b.fc1, ops::layer_norm(x, c.norm_eps, b.norm2.weight, b.norm2.bias), {}, activation);
    x = apply(b.fc2, h, x);
  }
  return ops::layer_norm(x, c.norm_eps, model.final_norm.weight, model.final_norm.bias);
}

}  // namespace motley
