// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks.eager;

import dev.motley.weights.TensorView;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.global.torch.MemoryFormat;

/** The eager classifiers by name. */
public final class EagerClassifiers {

  /** Measured: a fifth faster than contiguous for ResNets, a fifth and more for MobileNetV3, level for ConvNeXt. A ViT has no convolution. */
  private static final MemoryFormat FASTER = MemoryFormat.ChannelsLast;

  private EagerClassifiers() {}

  /** The names that {@link #create} knows. */
  public static List<String> names() {
    return List.of(
        "resnet50", "resnet101", "mobilenet_v3_small", "convnext_small", "vit_b", "vit_b_p4");
  }

  /**
   * Copies the weights.
   *
   * @param architecture one of {@link #names}
   * @param weights all tensors by the original's names; the parameters' order is the map's
   * @param options how it computes
   * @return the network
   */
  public static EagerClassifier create(
      String architecture, Map<String, TensorView> weights, EagerOptions options) {
    MemoryFormat format = options.format().orElse(FASTER);
    Parameters parameters = new Parameters(weights, format, options.type());
    boolean stochastic = options.stochastic();
    return switch (architecture) {
      case "resnet50" -> new EagerResNet(parameters, EagerResNet.RESNET50);
      case "resnet101" -> new EagerResNet(parameters, EagerResNet.RESNET101);
      case "mobilenet_v3_small" -> new EagerMobileNetV3(parameters, stochastic);
      case "convnext_small" -> new EagerConvNeXt(parameters, stochastic);
      case "vit_b" -> new EagerVit(parameters, EagerVit.BASE);
      case "vit_b_p4" -> new EagerVit(parameters, EagerVit.BASE_PATCH_4);
      default ->
          throw new IllegalArgumentException(
              "no eager classifier " + architecture + ", expected one of " + names());
    };
  }
}
