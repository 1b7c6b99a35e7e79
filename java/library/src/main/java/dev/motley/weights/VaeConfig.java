// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import java.nio.file.Path;
import java.util.List;

/**
 * Shape of an AutoencoderKL, from {@code vae/config.json} of a diffusers folder. Its GroupNorm
 * epsilon is 1e-6 always.
 *
 * @param blockOutChannels encoder widths from the picture inwards; the decoder runs through them
 *     backwards
 * @param layersPerBlock residual blocks per level of the encoder; the decoder has one more
 * @param scalingFactor latents = encoder mean times this
 * @param sampleSize width and height of the pictures it was trained on; 0 if the file does not say
 */
public record VaeConfig(
    int inChannels,
    int outChannels,
    List<Integer> blockOutChannels,
    int layersPerBlock,
    int latentChannels,
    int normNumGroups,
    double scalingFactor,
    int sampleSize,
    boolean useQuantConv,
    boolean usePostQuantConv,
    boolean midBlockAddAttention) {

  /** Channels of a picture. */
  private static final int RGB = 3;

  public VaeConfig {
    blockOutChannels = List.copyOf(blockOutChannels);
  }

  /**
   * Reads a configuration file.
   *
   * @throws dev.motley.InvalidInputException for a value that is missing or not supported; names
   *     file, key and value
   */
  public static VaeConfig read(Path file) {
    return of(ConfigFile.read(file));
  }

  static VaeConfig of(ConfigFile config) {
    config.require("_class_name", "AutoencoderKL");
    config.oneOf("act_fn", "silu", List.of("silu", "swish"));
    for (String key : List.of("shift_factor", "latents_mean", "latents_std")) {
      config.requireAbsent(key);
    }
    config.require("in_channels", RGB);
    config.require("out_channels", RGB);
    List<Integer> channels = config.sizes("block_out_channels", UNetConfig.MAX_BLOCKS);
    config.types("down_block_types", channels.size(), List.of("DownEncoderBlock2D"));
    config.types("up_block_types", channels.size(), List.of("UpDecoderBlock2D"));
    int groups = config.size("norm_num_groups", 32);
    if (channels.stream().anyMatch(width -> width % groups != 0)) {
      throw config.unsupported(
          "norm_num_groups",
          config.node("norm_num_groups"),
          "a divisor of block_out_channels " + channels);
    }
    return new VaeConfig(
        config.size("in_channels"),
        config.size("out_channels"),
        channels,
        config.size("layers_per_block", 1),
        config.size("latent_channels"),
        groups,
        config.positive("scaling_factor", 0.18215),
        config.has("sample_size") ? config.size("sample_size") : 0,
        config.flag("use_quant_conv", true),
        config.flag("use_post_quant_conv", true),
        config.flag("mid_block_add_attention", true));
  }

  /** Pixels per latent in each direction. */
  public int downscale() {
    return 1 << (blockOutChannels.size() - 1);
  }
}
