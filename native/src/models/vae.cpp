// SPDX-License-Identifier: Apache-2.0
#include "models/vae.h"

#include <algorithm>
#include <cmath>

#include "ops/attention.h"
#include "ops/normalise.h"

namespace motley {
namespace {

using ops::Activation;

constexpr double kNormEps = 1e-6;

// ---- taking the weights ----

Vae::ResBlock take_resnet(const Taker& t, int64_t in, int64_t out) {
  Vae::ResBlock r;
  r.norm1 = t.norm("norm1", in);
  r.conv1 = t.conv("conv1", out, in, 3);
  r.norm2 = t.norm("norm2", out);
  r.conv2 = t.conv("conv2", out, out, 3);
  if (in != out) r.shortcut = t.dense("conv_shortcut", out, in);
  return r;
}

Vae::Attention take_attention(const Taker& t, int64_t width) {
  Vae::Attention a;
  a.norm = t.norm("group_norm", width);
  if (t.has("query.weight")) {
    a.qkv = t.dense_joined({"query", "key", "value"}, width, width, true);
    a.out = t.dense("proj_attn", width, width);
  } else {
    a.qkv = t.dense_joined({"to_q", "to_k", "to_v"}, width, width, true);
    a.out = t.dense("to_out.0", width, width);
  }
  return a;
}

void take_middle(const Taker& t, const motley_vae_config& c, Vae::Half& half) {
  const int64_t width = c.block_channels[c.block_count - 1];
  half.mid1 = take_resnet(t.at("resnets.0"), width, width);
  if (c.mid_attention) half.attention = take_attention(t.at("attentions.0"), width);
  half.mid2 = take_resnet(t.at("resnets.1"), width, width);
}

Vae::Half take_encoder(const Taker& t, const motley_vae_config& c) {
  Vae::Half half;
  int64_t width = c.block_channels[0];
  half.conv_in = t.conv("conv_in", width, c.in_channels, 3);
  for (int i = 0; i < c.block_count; ++i) {
    const Taker b = t.at(concat("down_blocks.", i));
    Vae::Block block;
    for (int j = 0; j < c.layers_per_block; ++j) {
      block.resnets.push_back(take_resnet(b.at(concat("resnets.", j)), width, c.block_channels[i]));
      width = c.block_channels[i];
    }
    if (i + 1 < c.block_count) block.resample = b.conv("downsamplers.0.conv", width, width, 3);
    half.blocks.push_back(block);
  }
  take_middle(t.at("mid_block"), c, half);
  half.norm_out = t.norm("conv_norm_out", width);
  half.conv_out = t.conv("conv_out", 2 * c.latent_channels, width, 3);
  return half;
}

Vae::Half take_decoder(const Taker& t, const motley_vae_config& c) {
  Vae::Half half;
  int64_t width = c.block_channels[c.block_count - 1];
  half.conv_in = t.conv("conv_in", width, c.latent_channels, 3);
  take_middle(t.at("mid_block"), c, half);
  for (int i = 0; i < c.block_count; ++i) {
    const Taker b = t.at(concat("up_blocks.", i));
    const int64_t out = c.block_channels[c.block_count - 1 - i];
    Vae::Block block;
    for (int j = 0; j <= c.layers_per_block; ++j) {
      block.resnets.push_back(take_resnet(b.at(concat("resnets.", j)), width, out));
      width = out;
    }
    if (i + 1 < c.block_count) block.resample = b.conv("upsamplers.0.conv", width, width, 3);
    half.blocks.push_back(block);
  }
  half.norm_out = t.norm("conv_norm_out", width);
  half.conv_out = t.conv("conv_out", c.out_channels, width, 3);
  return half;
}

// ---- computing ----

Tensor convolved(const Layer& layer, const Tensor& x, const ops::Conv2d& how = ops::Conv2d::same(3), const Tensor& residual = {}) {
  ops::Epilogue e;
  e.bias = layer.bias;
  e.residual = residual;
  return ops::conv2d(x, layer.weight, how, e);
}

struct Runner {
  const Vae& model;

  Tensor norm(const Tensor& x, const Norm& n, Activation then = Activation::silu) const {
    return ops::group_norm(x, model.config.norm_groups, kNormEps, n.weight, n.bias, then);
  }

  Tensor resnet(const Vae::ResBlock& r, const Tensor& x) const {
    const Tensor h = norm(convolved(r.conv1, norm(x, r.norm1)), r.norm2);
    return convolved(r.conv2, h, ops::Conv2d::same(3), r.shortcut.weight ? apply(r.shortcut, x) : x);
  }

  Tensor attention(const Vae::Attention& a, const Tensor& x) const {
    const int64_t n = x.size(0), tokens = x.size(1) * x.size(2), width = x.size(3);
    const Tensor qkv = apply(a.qkv, norm(x, a.norm, Activation::none).viewed({n, tokens, width}));
    const Tensor h = ops::attention({qkv, 0}, {qkv, width}, {qkv, 2 * width}, 1, width, false);
    return apply(a.out, h, x.viewed({n, tokens, width})).viewed(x.shape());
  }

  Tensor middle(const Vae::Half& half, const Tensor& x) const {
    Tensor h = resnet(half.mid1, x);
    if (half.attention) h = attention(*half.attention, h);
    return resnet(half.mid2, h);
  }

  Tensor out(const Vae::Half& half, const Tensor& x) const { return convolved(half.conv_out, norm(x, half.norm_out)); }
};

}  // namespace

void check(const motley_vae_config& c) {
  require(c.block_count >= 1 && c.block_count <= MOTLEY_MAX_BLOCKS, "vae config: block_count must be 1 to ", MOTLEY_MAX_BLOCKS, ", got ",
          c.block_count);
  require(c.in_channels > 0 && c.out_channels > 0 && c.latent_channels > 0 && c.layers_per_block > 0 && c.norm_groups > 0,
          "vae config: in_channels, out_channels, latent_channels, layers_per_block and norm_groups must be positive");
  require(c.layers_per_block <= kMostLayers && std::max({c.in_channels, c.out_channels, c.latent_channels}) <= kWidest,
          "vae config: at most ", kMostLayers, " layers_per_block and ", kWidest, " channels");
  for (int i = 0; i < c.block_count; ++i) {
    require(c.block_channels[i] <= kWidest, "vae config: block_channels[", i, "] = ", c.block_channels[i], " is above ", kWidest);
    require(c.block_channels[i] > 0 && c.block_channels[i] % c.norm_groups == 0, "vae config: block_channels[", i,
            "] = ", c.block_channels[i], " is not a positive multiple of norm_groups ", c.norm_groups);
  }
  require(std::isfinite(c.scaling_factor) && c.scaling_factor > 0, "vae config: scaling_factor must be positive, got ", c.scaling_factor);
  require((c.as_published & ~MOTLEY_PUBLISHED_UPSAMPLE) == 0, "vae config: unknown bits in as_published ", c.as_published);
  activations_in("vae config", c.precision);
}

Vae make_vae(const motley_vae_config& config, const NamedTensors& weights) {
  check(config);
  Parameters parameters("vae", weights);
  Vae model;
  model.config = config;
  model.dtype = activations_in("vae config", config.precision);
  const Taker root(parameters, model.dtype);
  const int64_t latent = config.latent_channels;
  model.encoder = take_encoder(root.at("encoder"), config);
  model.decoder = take_decoder(root.at("decoder"), config);
  if (config.quant_conv) model.quant = root.dense("quant_conv", 2 * latent, 2 * latent);
  if (config.post_quant_conv) model.post_quant = root.dense("post_quant_conv", latent, latent);
  parameters.finish();
  return model;
}

Tensor vae_decode(const Vae& model, const Tensor& z) {
  const Runner run{model};
  Tensor h = convolved(model.decoder.conv_in, model.post_quant ? apply(*model.post_quant, z) : z);
  h = run.middle(model.decoder, h);
  for (const Vae::Block& block : model.decoder.blocks) {
    for (const Vae::ResBlock& r : block.resnets) h = run.resnet(r, h);
    if (block.resample) h = upsample(*block.resample, h, 2 * h.size(1), 2 * h.size(2), model.config.as_published);
  }
  return run.out(model.decoder, h);
}

Tensor vae_encode(const Vae& model, const Tensor& images) {
  const Runner run{model};
  Tensor h = convolved(model.encoder.conv_in, images);
  for (const Vae::Block& block : model.encoder.blocks) {
    for (const Vae::ResBlock& r : block.resnets) h = run.resnet(r, h);
    if (block.resample) h = convolved(*block.resample, h, {2, 0, 0, 1, 1});  // padded below and to the right only
  }
  h = run.out(model.encoder, run.middle(model.encoder, h));
  return model.quant ? apply(*model.quant, h) : h;
}

int64_t scale_of(const motley_vae_config& config) { return int64_t{1} << (config.block_count - 1); }

}  // namespace motley
