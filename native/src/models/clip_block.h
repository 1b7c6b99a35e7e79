// SPDX-License-Identifier: Apache-2.0
// The transformer that CLIP's text and vision towers share: pre-norm blocks of self-attention and a two-layer MLP.
#pragma once

#include <algorithm>
#include <vector>

#include "models/layers.h"
#include "motley.h"

namespace motley {

struct ClipTransformer {
  struct Block {
    Norm norm1, norm2;
    Layer qkv, out, fc1, fc2;  // qkv: the three projections as one matrix
  };
  int64_t width, heads;
  double norm_eps;
  ops::Activation activation;
  std::vector<Block> blocks;
};

/// Throws INVALID_ARGUMENT naming the field of a config that makes no sense, as far as both towers have it.
template <typename Config>
void check_clip_transformer(const char* what, const Config& c) {
  require(c.layers <= kMostLayers && std::max(c.width, c.mlp_width) <= kWidest, what, ": at most ", kMostLayers, " layers and ", kWidest,
          " channels");
  require(c.width % c.heads == 0, what, ": width ", c.width, " is not a multiple of heads ", c.heads);
  require(c.activation == MOTLEY_QUICK_GELU || c.activation == MOTLEY_GELU, what, ": unknown activation ", c.activation,
          ": expected 0 (quick_gelu) or 1 (gelu)");
  activations_in(what, c.precision);
  require(c.norm_eps > 0 && c.norm_eps < 1, what, ": norm_eps must be in (0, 1), got ", c.norm_eps);
}

ClipTransformer::Block take_clip_block(const Taker& t, int64_t width, int64_t mlp_width);

/// Takes the blocks "encoder.layers.0...." under the taker's prefix, for a motley_text_config or motley_vision_config.
template <typename Config>
ClipTransformer take_clip_transformer(const Taker& t, const Config& c) {
  const auto activation = c.activation == MOTLEY_GELU ? ops::Activation::gelu : ops::Activation::quick_gelu;
  ClipTransformer model{c.width, c.heads, c.norm_eps, activation, {}};
  for (int i = 0; i < c.layers; ++i) {
    model.blocks.push_back(take_clip_block(t.at(concat("encoder.layers.", i)), c.width, c.mlp_width));
  }
  return model;
}

/// x (n, tokens, width) -> the same shape. causal: a token sees itself and those before it.
Tensor clip_transformer(const ClipTransformer& model, Tensor x, bool causal);

}  // namespace motley
