// SPDX-License-Identifier: Apache-2.0
#include "support/diffusion.h"

namespace motley::test {
namespace {

int32_t integer(const Json& j, const std::string& key) { return static_cast<int32_t>(j[key].number); }

}  // namespace

motley_text_config text_config(const Json& j) {
  motley_text_config c = {};
  c.struct_size = sizeof c;
  c.vocabulary = integer(j, "vocab_size");
  c.positions = integer(j, "max_position_embeddings");
  c.width = integer(j, "hidden_size");
  c.layers = integer(j, "num_hidden_layers");
  c.heads = integer(j, "num_attention_heads");
  c.mlp_width = integer(j, "intermediate_size");
  c.activation = j["hidden_act"].text == "quick_gelu" ? MOTLEY_QUICK_GELU : MOTLEY_GELU;
  c.norm_eps = j["layer_norm_eps"].number;
  return c;
}

motley_vision_config vision_config(const Json& j) {
  motley_vision_config c = {};
  c.struct_size = sizeof c;
  c.image_size = integer(j, "image_size");
  c.patch_size = integer(j, "patch_size");
  c.width = integer(j, "hidden_size");
  c.layers = integer(j, "num_hidden_layers");
  c.heads = integer(j, "num_attention_heads");
  c.mlp_width = integer(j, "intermediate_size");
  c.projection = integer(j, "projection_dim");
  c.activation = MOTLEY_QUICK_GELU;  // not in the goldens: transformers' default
  c.norm_eps = 1e-5;
  return c;
}

motley_unet_config unet_config(const Json& j) {
  motley_unet_config c = {};
  c.struct_size = sizeof c;
  c.in_channels = integer(j, "in_channels");
  c.out_channels = integer(j, "out_channels");
  c.layers_per_block = integer(j, "layers_per_block");
  c.cross_attention_dim = integer(j, "cross_attention_dim");
  c.norm_groups = integer(j, "norm_num_groups");
  c.block_count = static_cast<int32_t>(j["block_out_channels"].items.size());
  for (size_t i = 0; i < j["block_out_channels"].items.size(); ++i) {
    c.block_channels[i] = static_cast<int32_t>(j["block_out_channels"][i].number);
    c.heads[i] = integer(j, "attention_head_dim");
    c.down_attention[i] = j["down_block_types"][i].text == "CrossAttnDownBlock2D";
    c.up_attention[i] = j["up_block_types"][i].text == "CrossAttnUpBlock2D";
  }
  c.mid_attention = 1;
  c.flip_sin_to_cos = integer(j, "flip_sin_to_cos");
  c.freq_shift = j["freq_shift"].number;
  c.norm_eps = j["norm_eps"].number;
  return c;
}

motley_vae_config vae_config(const Json& j) {
  motley_vae_config c = {};
  c.struct_size = sizeof c;
  c.in_channels = integer(j, "in_channels");
  c.out_channels = integer(j, "out_channels");
  c.latent_channels = integer(j, "latent_channels");
  c.layers_per_block = integer(j, "layers_per_block");
  c.norm_groups = integer(j, "norm_num_groups");
  c.block_count = static_cast<int32_t>(j["block_out_channels"].items.size());
  for (size_t i = 0; i < j["block_out_channels"].items.size(); ++i) {
    c.block_channels[i] = static_cast<int32_t>(j["block_out_channels"][i].number);
  }
  c.mid_attention = c.quant_conv = c.post_quant_conv = 1;
  c.scaling_factor = j.has("scaling_factor") ? j["scaling_factor"].number : 0.18215;  // the default of diffusers
  return c;
}

motley_ddim_config ddim_config() {
  motley_ddim_config c = {};
  c.struct_size = sizeof c;
  c.train_timesteps = 1000;
  c.steps_offset = 1;
  c.beta_schedule = MOTLEY_BETAS_SCALED_LINEAR;
  c.beta_start = 0.00085;
  c.beta_end = 0.012;
  return c;
}

}  // namespace motley::test
