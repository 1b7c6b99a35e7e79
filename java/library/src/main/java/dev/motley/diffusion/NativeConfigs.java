// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import dev.motley.Precision;
import dev.motley.ffi.DdimConfig;
import dev.motley.ffi.TextConfig;
import dev.motley.ffi.UNetConfig;
import dev.motley.ffi.VaeConfig;
import dev.motley.weights.Checkpoint;
import dev.motley.weights.SchedulerConfig;
import java.util.List;

/** A checkpoint's configurations in the native core's terms. */
final class NativeConfigs {
  private final Checkpoint checkpoint;
  private final Precision precision;

  NativeConfigs(Checkpoint checkpoint, Precision precision) {
    this.checkpoint = checkpoint;
    this.precision = precision;
  }

  TextConfig text() {
    dev.motley.weights.TextConfig c = checkpoint.textConfig();
    return new TextConfig(
        c.vocabSize(), c.positions(), c.width(), c.layers(), c.heads(), c.mlpWidth(),
        c.activation().equals("gelu") ? TextConfig.Activation.GELU : TextConfig.Activation.QUICK_GELU,
        precision, c.layerNormEps());
  }

  UNetConfig unet() {
    dev.motley.weights.UNetConfig c = checkpoint.unetConfig();
    return new UNetConfig(
        c.inChannels(), c.outChannels(), c.layersPerBlock(), c.crossAttentionDim(), c.normNumGroups(),
        c.blockOutChannels(), c.attentionHeads(), attention(c.downBlockTypes()), attention(c.upBlockTypes()),
        c.midBlockType().contains("CrossAttn"), c.flipSinToCos(), c.useLinearProjection(),
        precision, c.freqShift(), c.normEps());
  }

  VaeConfig vae() {
    dev.motley.weights.VaeConfig c = checkpoint.vaeConfig();
    return new VaeConfig(
        c.inChannels(), c.outChannels(), c.latentChannels(), c.layersPerBlock(), c.normNumGroups(),
        c.blockOutChannels(), c.midBlockAddAttention(), c.useQuantConv(), c.usePostQuantConv(),
        precision, c.scalingFactor());
  }

  DdimConfig schedule() {
    SchedulerConfig c = checkpoint.schedulerConfig();
    return new DdimConfig(
        c.numTrainTimesteps(), c.stepsOffset(), c.setAlphaToOne(),
        c.betaSchedule().equals("linear") ? DdimConfig.BetaSchedule.LINEAR : DdimConfig.BetaSchedule.SCALED_LINEAR,
        c.betaStart(), c.betaEnd());
  }

  int nativeSize() {
    return checkpoint.nativeSize().orElse(0);
  }

  /** Cross-attention keys and values of one token: two rows of float32 per transformer. */
  long bytesPerToken() {
    dev.motley.weights.UNetConfig c = checkpoint.unetConfig();
    List<Integer> channels = c.blockOutChannels();
    int blocks = channels.size();
    long width = channels.get(blocks - 1);
    for (int i = 0; i < blocks; i++) {
      width += attention(c.downBlockTypes()).get(i) ? (long) c.layersPerBlock() * channels.get(i) : 0;
      width += attention(c.upBlockTypes()).get(i) ? (c.layersPerBlock() + 1L) * channels.get(blocks - 1 - i) : 0;
    }
    return 2 * width * Float.BYTES;
  }

  private static List<Boolean> attention(List<String> blockTypes) {
    return blockTypes.stream().map(type -> type.startsWith("CrossAttn")).toList();
  }
}
