// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import java.nio.file.Path;
import java.util.List;

/**
 * Shape of a UNet2DConditionModel, from {@code unet/config.json} of a diffusers folder. Lists have
 * one entry per block, in diffusers' order: down blocks from the widest picture, up blocks from the
 * narrowest.
 *
 * @param attentionHeads heads of down block i and of up block n-1-i, the last also of the middle;
 *     the key {@code attention_head_dim} means the <em>number</em> of heads
 * @param normEps epsilon of the residual blocks' and the output's GroupNorm (the transformers' own
 *     is 1e-6)
 * @param freqShift {@code freq_shift} of the sinusoidal time embedding
 * @param sampleSize width and height of the latents it was trained on; 0 if the file does not say
 */
public record UNetConfig(
    int inChannels,
    int outChannels,
    List<Integer> blockOutChannels,
    List<String> downBlockTypes,
    List<String> upBlockTypes,
    String midBlockType,
    int layersPerBlock,
    int crossAttentionDim,
    List<Integer> attentionHeads,
    int normNumGroups,
    double normEps,
    boolean flipSinToCos,
    double freqShift,
    boolean useLinearProjection,
    int downsamplePadding,
    int sampleSize) {

  /** Most resolution levels that a model may have. */
  public static final int MAX_BLOCKS = 8;

  private static final List<String> DOWN = List.of("CrossAttnDownBlock2D", "DownBlock2D");
  private static final List<String> UP = List.of("CrossAttnUpBlock2D", "UpBlock2D");
  private static final String MID = "UNetMidBlock2DCrossAttn";

  public UNetConfig {
    blockOutChannels = List.copyOf(blockOutChannels);
    downBlockTypes = List.copyOf(downBlockTypes);
    upBlockTypes = List.copyOf(upBlockTypes);
    attentionHeads = List.copyOf(attentionHeads);
  }

  /**
   * Reads a configuration file.
   *
   * @throws dev.motley.InvalidInputException for a value that is missing or not supported; names
   *     file, key and value
   */
  public static UNetConfig read(Path file) {
    return of(ConfigFile.read(file));
  }

  static UNetConfig of(ConfigFile config) {
    config.require("_class_name", "UNet2DConditionModel");
    refuseVariants(config);
    List<Integer> channels = config.sizes("block_out_channels", MAX_BLOCKS);
    int blocks = channels.size();
    UNetConfig result =
        new UNetConfig(
            config.size("in_channels"),
            config.size("out_channels"),
            channels,
            config.types("down_block_types", blocks, DOWN),
            config.types("up_block_types", blocks, UP),
            config.oneOf("mid_block_type", MID, List.of(MID)),
            config.uniformSize("layers_per_block", 2),
            config.uniformSize("cross_attention_dim", 1280),
            config.sizePerBlock("attention_head_dim", 8, blocks),
            config.size("norm_num_groups", 32),
            config.positive("norm_eps", 1e-5),
            config.flag("flip_sin_to_cos", true),
            config.number("freq_shift", 0),
            config.flag("use_linear_projection", false),
            1,
            config.has("sample_size") ? config.size("sample_size") : 0);
    result.checkDivisibility(config);
    return result;
  }

  private void checkDivisibility(ConfigFile config) {
    for (int i = 0; i < blockOutChannels.size(); i++) {
      int width = blockOutChannels.get(i);
      if (width % normNumGroups != 0) {
        throw config.unsupported(
            "norm_num_groups",
            config.node("norm_num_groups"),
            "a divisor of block_out_channels " + blockOutChannels);
      }
      if (width % attentionHeads.get(i) != 0) {
        throw config.unsupported(
            "attention_head_dim",
            config.node("attention_head_dim"),
            "divisors of block_out_channels " + blockOutChannels);
      }
    }
  }

  /**
   * Options of the diffusers class that change the network and that no Stable Diffusion v1 or v2
   * model uses.
   */
  private static void refuseVariants(ConfigFile config) {
    config.oneOf("act_fn", "silu", List.of("silu", "swish"));
    config.require("downsample_padding", 1);
    config.require("mid_block_scale_factor", 1);
    config.require("resnet_out_scale_factor", 1);
    config.require("resnet_time_scale_shift", "default");
    config.require("time_embedding_type", "positional");
    config.require("attention_type", "default");
    config.require("conv_in_kernel", 3);
    config.require("conv_out_kernel", 3);
    config.require("dropout", 0);
    if (config.uniformSize("transformer_layers_per_block", 1) != 1) {
      throw config.unsupported(
          "transformer_layers_per_block", config.node("transformer_layers_per_block"), "1");
    }
    for (String key :
        List.of(
            "center_input_sample",
            "only_cross_attention",
            "mid_block_only_cross_attention",
            "dual_cross_attention",
            "class_embed_type",
            "num_class_embeds",
            "class_embeddings_concat",
            "addition_embed_type",
            "addition_time_embed_dim",
            "encoder_hid_dim",
            "encoder_hid_dim_type",
            "num_attention_heads",
            "resnet_skip_time_act",
            "time_embedding_dim",
            "time_embedding_act_fn",
            "timestep_post_act",
            "time_cond_proj_dim",
            "cross_attention_norm",
            "reverse_transformer_layers_per_block")) {
      config.requireAbsent(key);
    }
  }
}
