// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks.eager;

import dev.motley.benchmarks.eager.Layers.BatchNorm;
import dev.motley.benchmarks.eager.Layers.Conv;
import dev.motley.benchmarks.eager.Layers.Linear;
import dev.motley.weights.TensorView;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** torchvision's resnet50 with libtorch's autograd. Calls need an open PointerScope. */
public final class EagerResNet50 implements AutoCloseable {

  // A fifth faster than contiguous, forward and backward, on the CPUs tried.
  private static final MemoryFormat FORMAT = MemoryFormat.ChannelsLast;

  private static final int[] DEPTHS = {3, 4, 6, 3};

  private record Bottleneck(
      Conv conv1,
      BatchNorm bn1,
      Conv conv2,
      BatchNorm bn2,
      Conv conv3,
      BatchNorm bn3,
      Optional<Conv> shortcut,
      Optional<BatchNorm> shortcutNorm) {

    static Bottleneck of(Parameters parameters, String name, int stride) {
      String shortcut = name + ".downsample.";
      boolean has = parameters.has(shortcut + "0.weight");
      return new Bottleneck(
          parameters.conv(name + ".conv1", 1, 0),
          parameters.batchNorm(name + ".bn1"),
          parameters.conv(name + ".conv2", stride, 1),
          parameters.batchNorm(name + ".bn2"),
          parameters.conv(name + ".conv3", 1, 0),
          parameters.batchNorm(name + ".bn3"),
          has ? Optional.of(parameters.conv(shortcut + "0", stride, 0)) : Optional.empty(),
          has ? Optional.of(parameters.batchNorm(shortcut + "1")) : Optional.empty());
    }

    Tensor apply(Tensor x, boolean training) {
      return Scopes.freeing(
          () -> {
            Tensor h = torch.relu_(bn1.apply(conv1.apply(x), training));
            h = torch.relu_(bn2.apply(conv2.apply(h), training));
            h = bn3.apply(conv3.apply(h), training);
            Tensor identity =
                shortcut.isPresent()
                    ? shortcutNorm.orElseThrow().apply(shortcut.get().apply(x), training)
                    : x;
            return torch.relu_(h.add_(identity));
          });
    }
  }

  private final Parameters parameters;
  private final List<Tensor> trainable;
  private final Conv conv1;
  private final BatchNorm bn1;
  private final List<Bottleneck> blocks = new ArrayList<>();
  private final Linear fc;

  /**
   * Copies the weights, in float32.
   *
   * @param weights all tensors by torchvision's names; the parameters' order is the map's
   */
  public EagerResNet50(Map<String, TensorView> weights) {
    this(weights, ScalarType.Float);
  }

  /**
   * Copies the weights.
   *
   * @param weights all tensors by torchvision's names; the parameters' order is the map's
   * @param type what everything is computed in
   */
  public EagerResNet50(Map<String, TensorView> weights, ScalarType type) {
    parameters = new Parameters(weights, FORMAT, type);
    trainable =
        weights.keySet().stream()
            .filter(name -> name.endsWith(".weight") || name.endsWith(".bias"))
            .map(name -> (Tensor) parameters.get(name).set_requires_grad(true))
            .toList();
    conv1 = parameters.conv("conv1", 2, 3);
    bn1 = parameters.batchNorm("bn1");
    for (int layer = 1; layer <= DEPTHS.length; layer++) {
      for (int j = 0; j < DEPTHS[layer - 1]; j++) {
        int stride = j == 0 && layer > 1 ? 2 : 1;
        blocks.add(Bottleneck.of(parameters, "layer" + layer + "." + j, stride));
      }
    }
    fc = parameters.linear("fc");
  }

  /**
   * The trainable tensors, in the order of the given weights.
   *
   * @return leaves of the graph, owned by this network
   */
  public List<Tensor> trainable() {
    return trainable;
  }

  /**
   * Classifies.
   *
   * @param images (n, 3, h, w), normalised
   * @param training true: batch statistics, and running ones are updated
   * @return logits (n, classes)
   */
  public Tensor forward(Tensor images, boolean training) {
    return Scopes.freeing(
        () -> {
          Tensor h = conv1.apply(images.contiguous(FORMAT));
          h = torch.relu_(bn1.apply(h, training));
          h =
              torch.max_pool2d(
                  h, new long[] {3, 3}, new long[] {2, 2}, new long[] {1, 1}, new long[] {1, 1},
                  false);
          for (Bottleneck block : blocks) {
            h = block.apply(h, training);
          }
          return fc.apply(torch.adaptive_avg_pool2d(h, 1, 1).flatten(1, -1));
        });
  }

  @Override
  public void close() {
    parameters.close();
  }
}
