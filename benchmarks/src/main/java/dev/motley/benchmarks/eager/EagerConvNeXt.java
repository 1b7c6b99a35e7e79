// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks.eager;

import dev.motley.benchmarks.eager.Layers.Conv;
import dev.motley.benchmarks.eager.Layers.LayerNorm;
import dev.motley.benchmarks.eager.Layers.Linear;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** torchvision's convnext_small. */
final class EagerConvNeXt implements EagerClassifier {

  private static final List<Integer> DEPTHS = List.of(3, 3, 27, 3);
  private static final double EPS = 1e-6;

  /** Of the last block; falls to 0 at the first. */
  private static final double STOCHASTIC_DEPTH = 0.4;

  private interface Layer {
    Tensor apply(Tensor x, boolean training);
  }

  /** The first layers, and those between stages. */
  private record Stem(Conv conv, LayerNorm norm) implements Layer {

    @Override
    public Tensor apply(Tensor x, boolean training) {
      return Scopes.freeing(() -> overChannels(norm, conv.apply(x)));
    }
  }

  private record Downsample(LayerNorm norm, Conv conv) implements Layer {

    @Override
    public Tensor apply(Tensor x, boolean training) {
      return Scopes.freeing(() -> conv.apply(overChannels(norm, x)));
    }
  }

  /**
   * @param scale (width, 1, 1)
   * @param drop chance of the branch to be left out for an image
   */
  private record Block(
      Conv depthwise, LayerNorm norm, Linear widen, Linear narrow, Tensor scale, double drop)
      implements Layer {

    static Block of(Parameters parameters, String name, double drop) {
      String block = name + ".block.";
      return new Block(
          parameters.depthwise(block + "0", 1, 3),
          parameters.layerNorm(block + "2", EPS),
          parameters.linear(block + "3"),
          parameters.linear(block + "5"),
          parameters.get(name + ".layer_scale"),
          drop);
    }

    @Override
    public Tensor apply(Tensor x, boolean training) {
      return Scopes.freeing(
          () -> {
            Tensor h = norm.apply(depthwise.apply(x).permute(0, 2, 3, 1));
            h = narrow.apply(torch.gelu(widen.apply(h))).permute(0, 3, 1, 2);
            h = scale.mul(h);
            return (training && drop > 0 ? h.mul(kept(h)) : h).add_(x);
          });
    }

    /** (n, 1, 1, 1): 1 / chance of being kept, or 0. */
    private Tensor kept(Tensor like) {
      Tensor kept = torch.empty(new long[] {like.size(0), 1, 1, 1}, like.options(), new MemoryFormatOptional());
      double chance = 1 - drop;
      return kept.bernoulli_(chance, new GeneratorOptional()).div_(new Scalar(chance));
    }
  }

  private final Parameters parameters;
  private final List<Tensor> trainable;
  private final List<Layer> layers = new ArrayList<>();
  private final LayerNorm norm;
  private final Linear head;

  EagerConvNeXt(Parameters parameters, boolean stochastic) {
    this.parameters = parameters;
    trainable = parameters.trainable();
    int blocks = DEPTHS.stream().mapToInt(Integer::intValue).sum();
    int block = 0;
    layers.add(
        new Stem(
            parameters.conv("features.0.0", 4, 0), parameters.layerNorm("features.0.1", EPS)));
    for (int stage = 0; stage < DEPTHS.size(); stage++) {
      if (stage > 0) {
        String name = "features." + 2 * stage;
        layers.add(
            new Downsample(
                parameters.layerNorm(name + ".0", EPS), parameters.conv(name + ".1", 2, 0)));
      }
      for (int i = 0; i < DEPTHS.get(stage); i++) {
        double drop = stochastic ? STOCHASTIC_DEPTH * block++ / (blocks - 1) : 0;
        layers.add(Block.of(parameters, "features." + (2 * stage + 1) + "." + i, drop));
      }
    }
    norm = parameters.layerNorm("classifier.0", EPS);
    head = parameters.linear("classifier.2");
  }

  /** torchvision's LayerNorm2d. */
  private static Tensor overChannels(LayerNorm norm, Tensor x) {
    return norm.apply(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2);
  }

  @Override
  public List<Tensor> trainable() {
    return trainable;
  }

  @Override
  public Tensor forward(Tensor images, boolean training) {
    return Scopes.freeing(
        () -> {
          Tensor h = images.contiguous(parameters.format());
          for (Layer layer : layers) {
            h = layer.apply(h, training);
          }
          h = overChannels(norm, torch.adaptive_avg_pool2d(h, 1, 1));
          return head.apply(h.flatten(1, -1));
        });
  }

  @Override
  public void close() {
    parameters.close();
  }
}
