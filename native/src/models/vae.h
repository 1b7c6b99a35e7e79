// SPDX-License-Identifier: Apache-2.0
// AutoencoderKL of Stable Diffusion v1's layout, by diffusers' config and names.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "models/layers.h"
#include "motley.h"

namespace motley {

struct Vae {
  struct ResBlock {
    Norm norm1, norm2;
    Layer conv1, conv2, shortcut;  // shortcut: dense; undefined where the widths agree
  };
  /// Single-head self-attention over the pixels.
  struct Attention {
    Norm norm;
    Layer qkv, out;
  };
  struct Block {
    std::vector<ResBlock> resnets;
    std::optional<Layer> resample;
  };
  struct Half {  // encoder or decoder
    Layer conv_in, conv_out;
    Norm norm_out;
    std::vector<Block> blocks;
    ResBlock mid1, mid2;
    std::optional<Attention> attention;
  };
  motley_vae_config config;
  DType dtype;
  Half encoder, decoder;
  std::optional<Layer> quant, post_quant;
};

void check(const motley_vae_config& config);
/// Accepts the attention's names of today (to_q, to_k, to_v, to_out.0) and of before (query, key, value, proj_attn).
Vae make_vae(const motley_vae_config& config, const NamedTensors& weights);

/// z (N, h, w, latent_channels), not scaled -> images (N, H, W, out_channels), nominally in [-1, 1].
Tensor vae_decode(const Vae& model, const Tensor& z);
/// images (N, H, W, in_channels) in [-1, 1] -> moments (N, h, w, 2 * latent_channels): mean, then log variance.
Tensor vae_encode(const Vae& model, const Tensor& images);

/// Pixels to a latent, along one side.
int64_t scale_of(const motley_vae_config& config);

}  // namespace motley
