// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import dev.motley.InvalidInputException;
import dev.motley.Precision;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The shape of a UNet2DConditionModel, as in its {@code config.json}. The lists have one entry per
 * block, 1 to 8.
 *
 * @param inChannels in_channels
 * @param outChannels out_channels
 * @param layersPerBlock layers_per_block
 * @param crossAttentionDim cross_attention_dim
 * @param normGroups norm_num_groups
 * @param blockChannels block_out_channels
 * @param heads attention heads of down block i, and of up block count - 1 - i
 * @param downAttention whether down block i is a CrossAttnDownBlock2D
 * @param upAttention whether up block i, in diffusers' order, is a CrossAttnUpBlock2D
 * @param midAttention whether the middle is a UNetMidBlock2DCrossAttn
 * @param flipSinToCos flip_sin_to_cos
 * @param linearProjection use_linear_projection
 * @param precision of the computation
 * @param freqShift freq_shift
 * @param normEps norm_eps
 */
public record UNetConfig(
    int inChannels,
    int outChannels,
    int layersPerBlock,
    int crossAttentionDim,
    int normGroups,
    List<Integer> blockChannels,
    List<Integer> heads,
    List<Boolean> downAttention,
    List<Boolean> upAttention,
    boolean midAttention,
    boolean flipSinToCos,
    boolean linearProjection,
    Precision precision,
    double freqShift,
    double normEps) {

  /** Checks that the lists have one entry per block. */
  public UNetConfig {
    blockChannels = List.copyOf(blockChannels);
    heads = List.copyOf(heads);
    downAttention = List.copyOf(downAttention);
    upAttention = List.copyOf(upAttention);
    int count = blockChannels.size();
    Sizes.range("the number of UNet blocks", count, 1, Header.MAX_BLOCKS);
    for (List<?> other : List.of(heads, downAttention, upAttention)) {
      if (other.size() != count) {
        throw new InvalidInputException(
            "UNet: block_out_channels has "
                + count
                + " entries, but heads, down and up blocks have "
                + heads.size()
                + ", "
                + downAttention.size()
                + " and "
                + upAttention.size());
      }
    }
  }

  MemorySegment toC(Arena arena) {
    return Struct.allocate(arena, Header.UNET_CONFIG)
        .put("in_channels", inChannels)
        .put("out_channels", outChannels)
        .put("block_count", blockChannels.size())
        .put("layers_per_block", layersPerBlock)
        .put("cross_attention_dim", crossAttentionDim)
        .put("norm_groups", normGroups)
        .putInts("block_channels", blockChannels)
        .putInts("heads", heads)
        .putFlags("down_attention", downAttention)
        .putFlags("up_attention", upAttention)
        .put("mid_attention", midAttention)
        .put("flip_sin_to_cos", flipSinToCos)
        .put("linear_projection", linearProjection)
        .put("precision", precision.ordinal())
        .put("freq_shift", freqShift)
        .put("norm_eps", normEps)
        .segment();
  }
}
