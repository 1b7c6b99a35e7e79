// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks.eager;

import dev.motley.benchmarks.eager.Layers.Conv;
import dev.motley.benchmarks.eager.Layers.GroupNorm;
import dev.motley.benchmarks.eager.Layers.Linear;
import dev.motley.weights.TensorView;
import dev.motley.weights.UNetConfig;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** diffusers' UNet2DConditionModel, eager. Calls need an open PointerScope. */
public final class EagerUNet implements AutoCloseable {

  private static final double MAX_PERIOD = 10_000;

  private record Level(
      List<ResBlock> blocks, List<SpatialTransformer> transformers, Optional<Conv> resample) {}

  private final UNetConfig config;
  private final MemoryFormat format;
  private final ScalarType type;
  private final Parameters parameters;
  private final Linear time1;
  private final Linear time2;
  private final Conv convIn;
  private final List<Level> down = new ArrayList<>();
  private final Level middle;
  private final List<Level> up = new ArrayList<>();
  private final GroupNorm normOut;
  private final Conv convOut;

  /** Copies the weights, in float32. */
  public EagerUNet(UNetConfig config, Map<String, TensorView> weights, MemoryFormat format) {
    this(config, weights, format, ScalarType.Float);
  }

  /**
   * Copies the weights.
   *
   * @param config the network's shape
   * @param weights by diffusers' names
   * @param format of activations and convolution weights
   * @param type of activations and weights
   */
  public EagerUNet(
      UNetConfig config, Map<String, TensorView> weights, MemoryFormat format, ScalarType type) {
    this.config = config;
    this.format = format;
    this.type = type;
    parameters = new Parameters(weights, format, type);
    time1 = parameters.linear("time_embedding.linear_1");
    time2 = parameters.linear("time_embedding.linear_2");
    convIn = parameters.conv("conv_in", 1, 1);
    int levels = config.blockOutChannels().size();
    int perLevel = config.layersPerBlock();
    for (int i = 0; i < levels; i++) {
      int heads = config.attentionHeads().get(i);
      boolean attention = config.downBlockTypes().get(i).equals("CrossAttnDownBlock2D");
      String name = "down_blocks." + i;
      down.add(level(name, perLevel, attention, heads, name + ".downsamplers.0.conv", 2));
    }
    middle = level("mid_block", 2, 1, config.attentionHeads().getLast(), "none", 1);
    for (int i = 0; i < levels; i++) {
      int heads = config.attentionHeads().get(levels - 1 - i);
      boolean attention = config.upBlockTypes().get(i).equals("CrossAttnUpBlock2D");
      String name = "up_blocks." + i;
      up.add(level(name, perLevel + 1, attention, heads, name + ".upsamplers.0.conv", 1));
    }
    normOut = parameters.groupNorm("conv_norm_out", config.normNumGroups(), config.normEps());
    convOut = parameters.conv("conv_out", 1, 1);
  }

  private Level level(
      String name, int blocks, boolean attention, int heads, String resample, int stride) {
    return level(name, blocks, attention ? blocks : 0, heads, resample, stride);
  }

  private Level level(
      String name, int blockCount, int attentionCount, int heads, String resample, int stride) {
    List<ResBlock> blocks = new ArrayList<>();
    for (int j = 0; j < blockCount; j++) {
      String block = name + ".resnets." + j;
      blocks.add(ResBlock.of(parameters, block, config.normNumGroups(), config.normEps()));
    }
    List<SpatialTransformer> transformers = new ArrayList<>();
    for (int j = 0; j < attentionCount; j++) {
      String transformer = name + ".attentions." + j;
      transformers.add(
          SpatialTransformer.of(
              parameters,
              transformer,
              heads,
              config.normNumGroups(),
              config.useLinearProjection()));
    }
    return new Level(
        blocks,
        transformers,
        parameters.has(resample + ".weight")
            ? Optional.of(parameters.conv(resample, stride, 1))
            : Optional.empty());
  }

  /**
   * Predicts the noise.
   *
   * @param sample (n, in channels, h, w) float32
   * @param timesteps (n) float32
   * @param encoded context (n, tokens, cross attention width) float32
   * @return eps (n, out channels, h, w) float32
   */
  public Tensor forward(Tensor sample, Tensor timesteps, Tensor encoded) {
    return Scopes.freeing(
        () -> {
          Tensor context = encoded.to(type);
          // Every block applies SiLU to the same embedding first: done once.
          Optional<Tensor> time = Optional.of(torch.silu_(timeEmbedding(timesteps)));
          Deque<Tensor> skips = new ArrayDeque<>();
          Tensor h = convIn.apply(sample.to(type).contiguous(format));
          skips.push(h);
          for (Level level : down) {
            h = down(level, h, time, context, skips);
          }
          h = middle.blocks().get(0).apply(h, time);
          h = middle.transformers().get(0).apply(h, context);
          h = middle.blocks().get(1).apply(h, time);
          for (Level level : up) {
            h = up(level, h, time, context, skips);
          }
          return convOut.apply(normOut.silu(h)).to(ScalarType.Float);
        });
  }

  private static Tensor down(
      Level level, Tensor x, Optional<Tensor> time, Tensor context, Deque<Tensor> skips) {
    Tensor h = x;
    for (int j = 0; j < level.blocks().size(); j++) {
      h = level.blocks().get(j).apply(h, time);
      if (!level.transformers().isEmpty()) {
        h = level.transformers().get(j).apply(h, context);
      }
      skips.push(h);
    }
    if (level.resample().isPresent()) {
      h = level.resample().get().apply(h);
      skips.push(h);
    }
    return h;
  }

  private static Tensor up(
      Level level, Tensor x, Optional<Tensor> time, Tensor context, Deque<Tensor> skips) {
    Tensor h = x;
    for (int j = 0; j < level.blocks().size(); j++) {
      h = level.blocks().get(j).apply(torch.cat(new TensorVector(h, skips.pop()), 1), time);
      if (!level.transformers().isEmpty()) {
        h = level.transformers().get(j).apply(h, context);
      }
    }
    return level.resample().isPresent() ? upsample(h, level.resample().get()) : h;
  }

  static Tensor upsample(Tensor x, Conv conv) {
    return Scopes.freeing(
        () -> conv.apply(torch.upsample_nearest2d(x, 2 * x.size(2), 2 * x.size(3))));
  }

  /** (n) time steps as (n, 4 * width of the first level). */
  private Tensor timeEmbedding(Tensor timesteps) {
    long half = config.blockOutChannels().getFirst() / 2;
    double decay = -Math.log(MAX_PERIOD) / (half - config.freqShift());
    Tensor frequencies = torch.arange(new Scalar((double) half)).mul(new Scalar(decay)).exp();
    Tensor angles = timesteps.unsqueeze(1).mul(frequencies.unsqueeze(0));
    Tensor sin = angles.sin();
    Tensor cos = angles.cos();
    TensorVector parts =
        config.flipSinToCos() ? new TensorVector(cos, sin) : new TensorVector(sin, cos);
    return time2.apply(torch.silu_(time1.apply(torch.cat(parts, 1).to(type))));
  }

  @Override
  public void close() {
    parameters.close();
  }
}
