// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks.eager;

import dev.motley.benchmarks.eager.Layers.BatchNorm;
import dev.motley.benchmarks.eager.Layers.Conv;
import dev.motley.benchmarks.eager.Layers.Linear;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** torchvision's resnet50 and resnet101. */
final class EagerResNet implements EagerClassifier {

  /** Blocks of the stages. */
  static final List<Integer> RESNET50 = List.of(3, 4, 6, 3);

  static final List<Integer> RESNET101 = List.of(3, 4, 23, 3);

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

  EagerResNet(Parameters parameters, List<Integer> depths) {
    this.parameters = parameters;
    trainable = parameters.trainable();
    conv1 = parameters.conv("conv1", 2, 3);
    bn1 = parameters.batchNorm("bn1");
    for (int layer = 1; layer <= depths.size(); layer++) {
      for (int j = 0; j < depths.get(layer - 1); j++) {
        int stride = j == 0 && layer > 1 ? 2 : 1;
        blocks.add(Bottleneck.of(parameters, "layer" + layer + "." + j, stride));
      }
    }
    fc = parameters.linear("fc");
  }

  @Override
  public List<Tensor> trainable() {
    return trainable;
  }

  @Override
  public Tensor forward(Tensor images, boolean training) {
    return Scopes.freeing(
        () -> {
          Tensor h = conv1.apply(images.contiguous(parameters.format()));
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
