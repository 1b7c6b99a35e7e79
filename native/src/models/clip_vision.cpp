// SPDX-License-Identifier: Apache-2.0
#include "models/clip_vision.h"

#include <algorithm>

#include "ops/layout.h"
#include "ops/normalise.h"
#include "ops/tokens.h"

namespace motley {
namespace {

constexpr int64_t kChannels = 3;

DType dtype_of_config(const motley_vision_config& c) { return activations_in("vision config", c.precision); }

// Pixels at the right and bottom that fill no patch are not seen.
int64_t patches_of(const motley_vision_config& c) {
  const int64_t side = c.image_size / c.patch_size;
  return side * side;
}

// The class token, then the patches row by row, each with its position: (n, 1 + patches, width) float32.
Tensor embed(const ClipVision& model, int64_t n, const float* pixels) {
  const motley_vision_config& c = model.config;
  const Tensor image = ops::from_nchw(pixels, n, kChannels, c.image_size, c.image_size, dtype_of_config(c));
  ops::Conv2d how;
  how.stride = c.patch_size;
  const Tensor patches = ops::conv2d(image, model.patches.weight, how).to(DType::f32);
  return ops::embed_tokens(patches.viewed({n, patches_of(c), c.width}), model.class_token.viewed({1, c.width}), model.positions);
}

}  // namespace

void check(const motley_vision_config& c) {
  require(c.image_size > 0 && c.patch_size > 0 && c.width > 0 && c.layers > 0 && c.heads > 0 && c.mlp_width > 0 && c.projection > 0,
          "vision config: image_size, patch_size, width, layers, heads, mlp_width and projection must be positive");
  require(c.patch_size <= c.image_size, "vision config: patch_size ", c.patch_size, " is larger than image_size ", c.image_size);
  require(std::max(c.image_size, c.projection) <= kWidest && patches_of(c) < kMostEntries, "vision config: at most ", kWidest,
          " pixels a side, ", kMostEntries, " patches and ", kWidest, " values of the projection");
  check_clip_transformer("vision config", c);
}

ClipVision make_clip_vision(const motley_vision_config& config, const NamedTensors& weights) {
  check(config);
  Parameters parameters("vision_encoder", weights);
  const bool prefixed = !parameters.has("embeddings.class_embedding");
  const Taker root(parameters, dtype_of_config(config));
  const Taker t = prefixed ? root.at("vision_model") : root;
  parameters.ignore(prefixed ? "vision_model.embeddings.position_ids" : "embeddings.position_ids");
  ClipVision model;
  model.config = config;
  model.class_token = t.vector("embeddings.class_embedding", config.width);
  model.patches = t.conv("embeddings.patch_embedding", config.width, kChannels, config.patch_size, false);
  model.positions = t.table("embeddings.position_embedding.weight", 1 + patches_of(config), config.width);
  model.pre_norm = t.norm("pre_layrnorm", config.width);  // so spelled in every published checkpoint
  model.transformer = take_clip_transformer(t, config);
  model.post_norm = t.norm("post_layernorm", config.width);
  model.projection = root.dense("visual_projection", config.projection, config.width, false);
  parameters.finish();
  return model;
}

Tensor clip_vision(const ClipVision& model, int64_t n, const float* pixels) {
  const motley_vision_config& c = model.config;
  const Norm &before = model.pre_norm, &after = model.post_norm;
  const Tensor embedded = ops::layer_norm(embed(model, n, pixels), c.norm_eps, before.weight, before.bias);
  const Tensor x = clip_transformer(model.transformer, embedded.to(dtype_of_config(c)), false);
  return apply(model.projection, ops::layer_norm(ops::first_tokens(x), c.norm_eps, after.weight, after.bias));
}

}  // namespace motley
