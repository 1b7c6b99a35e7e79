// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import dev.motley.Precision;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The shape of an AutoencoderKL, as in its {@code config.json}.
 *
 * @param inChannels in_channels
 * @param outChannels out_channels
 * @param latentChannels latent_channels
 * @param layersPerBlock layers_per_block
 * @param normGroups norm_num_groups
 * @param blockChannels block_out_channels, 1 to 8
 * @param midAttention mid_block_add_attention
 * @param quantConv use_quant_conv
 * @param postQuantConv use_post_quant_conv
 * @param precision of the computation
 * @param scalingFactor scaling_factor
 */
public record VaeConfig(
    int inChannels,
    int outChannels,
    int latentChannels,
    int layersPerBlock,
    int normGroups,
    List<Integer> blockChannels,
    boolean midAttention,
    boolean quantConv,
    boolean postQuantConv,
    Precision precision,
    double scalingFactor) {

  /** Checks the number of blocks. */
  public VaeConfig {
    blockChannels = List.copyOf(blockChannels);
    Sizes.range("the number of VAE blocks", blockChannels.size(), 1, Header.MAX_BLOCKS);
  }

  /**
   * Returns how much larger than its latents an image is, in each direction.
   *
   * @return 2^(blocks - 1)
   */
  public int scale() {
    return 1 << (blockChannels.size() - 1);
  }

  MemorySegment toC(Arena arena) {
    return Struct.allocate(arena, Header.VAE_CONFIG)
        .put("in_channels", inChannels)
        .put("out_channels", outChannels)
        .put("latent_channels", latentChannels)
        .put("block_count", blockChannels.size())
        .put("layers_per_block", layersPerBlock)
        .put("norm_groups", normGroups)
        .putInts("block_channels", blockChannels)
        .put("mid_attention", midAttention)
        .put("quant_conv", quantConv)
        .put("post_quant_conv", postQuantConv)
        .put("precision", precision.ordinal())
        .put("scaling_factor", scalingFactor)
        .segment();
  }
}
