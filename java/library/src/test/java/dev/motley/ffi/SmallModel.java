// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import dev.motley.Precision;
import dev.motley.testing.Shared;
import dev.motley.weights.DiffusersCheckpoint;
import dev.motley.weights.TensorView;
import java.util.Collection;
import java.util.List;

/** The checkpoint in {@code models/clothes} as native models: 8 x 8 latents of 4 channels. */
final class SmallModel implements AutoCloseable {

  static final int SIZE = 8;
  static final int CHANNELS = 4;

  static final DdimConfig DDIM =
      new DdimConfig(1000, 1, false, DdimConfig.BetaSchedule.SCALED_LINEAR, 0.00085, 0.012);

  final DiffusersCheckpoint checkpoint;

  SmallModel() {
    checkpoint = DiffusersCheckpoint.open(Shared.repository().resolve("models/clothes"));
  }

  NativeTextEncoder text() {
    var c = checkpoint.textConfig();
    var config =
        new TextConfig(
            c.vocabSize(),
            c.positions(),
            c.width(),
            c.layers(),
            c.heads(),
            c.mlpWidth(),
            TextConfig.Activation.QUICK_GELU,
            Precision.FP32,
            c.layerNormEps());
    try (var weights = weights(checkpoint.textEncoder().tensors().values())) {
      return NativeTextEncoder.create(config, weights);
    }
  }

  NativeUNet unet() {
    try (var weights = weights(checkpoint.unet().tensors().values())) {
      return NativeUNet.create(unetConfig(), weights);
    }
  }

  UNetConfig unetConfig() {
    var c = checkpoint.unetConfig();
    return new UNetConfig(
        c.inChannels(),
        c.outChannels(),
        c.layersPerBlock(),
        c.crossAttentionDim(),
        c.normNumGroups(),
        c.blockOutChannels(),
        c.attentionHeads(),
        attention(c.downBlockTypes()),
        attention(c.upBlockTypes()),
        c.midBlockType().contains("CrossAttn"),
        c.flipSinToCos(),
        c.useLinearProjection(),
        Precision.FP32,
        c.freqShift(),
        c.normEps());
  }

  NativeVae vae() {
    var c = checkpoint.vaeConfig();
    var config =
        new VaeConfig(
            c.inChannels(),
            c.outChannels(),
            c.latentChannels(),
            c.layersPerBlock(),
            c.normNumGroups(),
            c.blockOutChannels(),
            c.midBlockAddAttention(),
            c.useQuantConv(),
            c.usePostQuantConv(),
            Precision.FP32,
            c.scalingFactor());
    try (var weights = weights(checkpoint.vae().tensors().values())) {
      return NativeVae.create(config, weights);
    }
  }

  NativeWeights weights(Collection<TensorView> tensors) {
    NativeWeights weights = NativeWeights.create();
    for (TensorView tensor : tensors) {
      weights.add(
          tensor.name(), DType.valueOf(tensor.dtype().name()), tensor.shape(), tensor.data());
    }
    return weights;
  }

  /** Any two different prompts: (2, tokens, width), of the size the UNet expects. */
  float[] twoPrompts(NativeTextEncoder text) {
    int tokens = text.config().positions();
    int[] ids = new int[2 * tokens];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = i < tokens ? text.config().vocabulary() - 1 : i % 50;
    }
    return text.encode(ids);
  }

  @Override
  public void close() {
    checkpoint.close();
  }

  private static List<Boolean> attention(List<String> blockTypes) {
    return blockTypes.stream().map(type -> type.startsWith("CrossAttn")).toList();
  }
}
