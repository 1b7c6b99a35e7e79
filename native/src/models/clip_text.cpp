// SPDX-License-Identifier: Apache-2.0
#include "models/clip_text.h"

#include <algorithm>

#include "libtorch/convert.h"
#include "ops/normalise.h"

namespace motley {
namespace {

Tensor embed(const ClipText& model, int64_t n, const int32_t* ids) {
  const int64_t positions = model.config.positions, width = model.config.width;
  Tensor x = Tensor::empty({n, positions, width});
  float* to = x.data<float>();
  for (int64_t i = 0; i < n * positions; ++i, to += width) {
    const float* token = model.tokens.data<float>() + ids[i] * width;
    const float* position = model.positions.data<float>() + i % positions * width;
    for (int64_t c = 0; c < width; ++c) to[c] = token[c] + position[c];
  }
  return x.to(activations_in("text config", model.config.precision));
}

}  // namespace

void check(const motley_text_config& c) {
  require(c.vocabulary > 0 && c.positions > 0 && c.width > 0 && c.layers > 0 && c.heads > 0 && c.mlp_width > 0,
          "text config: vocabulary, positions, width, layers, heads and mlp_width must be positive");
  require(std::max(c.vocabulary, c.positions) <= kMostEntries, "text config: at most ", kMostEntries, " tokens and positions");
  check_clip_transformer("text config", c);
}

ClipText make_clip_text(const motley_text_config& config, const NamedTensors& weights) {
  check(config);
  Parameters parameters("text_encoder", weights);
  const bool prefixed = !parameters.has("embeddings.token_embedding.weight");
  const Taker root(parameters, activations_in("text config", config.precision));
  const Taker t = prefixed ? root.at("text_model") : root;
  parameters.ignore(prefixed ? "text_model.embeddings.position_ids" : "embeddings.position_ids");
  ClipText model;
  model.config = config;
  model.tokens = t.table("embeddings.token_embedding.weight", config.vocabulary, config.width);
  model.positions = t.table("embeddings.position_embedding.weight", config.positions, config.width);
  model.transformer = take_clip_transformer(t, config);
  model.final_norm = t.norm("final_layer_norm", config.width);
  parameters.finish();
  return model;
}

Tensor clip_text(const ClipText& model, int64_t n, const int32_t* ids) {
  const Tensor x = clip_transformer(model.transformer, embed(model, n, ids), true);
  return ops::layer_norm(x, model.config.norm_eps, model.final_norm.weight, model.final_norm.bias);
}

}  // namespace motley
