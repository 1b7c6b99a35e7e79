// SPDX-License-Identifier: Apache-2.0
#include "models/clip_vision.h"

#include <algorithm>
#include <cstring>

#include "libtorch/convert.h"
#include "ops/layout.h"
#include "ops/normalise.h"

namespace motley {
namespace {

constexpr int64_t kChannels = 3;

DType dtype_of_config(const motley_vision_config& c) {
  return activations_in("vision config", c.precision);
}

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
  const int64_t count = patches_of(c), width = c.width;
  Tensor x = Tensor::empty({n, 1 + count, width});
  const float* patch = patches.data<float>();
  float* to = x.data<float>();
  for (int64_t i = 0; i < n; ++i) {
    const float* position = model.positions.data<float>();
    for (int64_t token = 0; token <= count; ++token) {
      const float* from = model.class_token.data<float>();
      if (token > 0) from = patch, patch += width;
      for (int64_t k = 0; k < width; ++k) *to++ = from[k] + *position++;
    }
  }
  return x;
}

// x (n, tokens, width) -> its first tokens (n, width).
Tensor first_tokens(const Tensor& x) {
  Tensor first = Tensor::empty({x.size(0), x.size(2)}, x.dtype());
  const int64_t row = x.size(2) * size_of(x.dtype()), image = x.size(1) * row;
  for (int64_t i = 0; i < x.size(0); ++i) {
    const char* from = static_cast<const char*>(x.raw()) + i * image;
    std::memcpy(static_cast<char*>(first.raw()) + i * row, from, static_cast<size_t>(row));
  }
  return first;
}

}  // namespace

void check(const motley_vision_config& c) {
  require(c.image_size > 0 && c.patch_size > 0 && c.width > 0 && c.layers > 0 && c.heads > 0 && c.mlp_width > 0 &&
              c.projection > 0,
          "vision config: image_size, patch_size, width, layers, heads, mlp_width and projection must be positive");
  require(c.patch_size <= c.image_size, "vision config: patch_size ", c.patch_size, " is larger than image_size ",
          c.image_size);
  require(std::max(c.image_size, c.projection) <= kWidest && patches_of(c) < kMostEntries, "vision config: at most ",
          kWidest, " pixels a side, ", kMostEntries, " patches and ", kWidest, " values of the projection");
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
  return apply(model.projection, ops::layer_norm(first_tokens(x), c.norm_eps, after.weight, after.bias));
}

}  // namespace motley
