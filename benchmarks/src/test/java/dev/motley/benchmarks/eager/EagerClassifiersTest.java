// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks.eager;

import static dev.motley.benchmarks.eager.Compare.assertAsExactAsPyTorch;
import static dev.motley.benchmarks.eager.Compare.tensor;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;
import static org.assertj.core.api.Assertions.withinPercentage;

import com.fasterxml.jackson.databind.JsonNode;
import dev.motley.testing.Golden;
import dev.motley.weights.TensorView;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class EagerClassifiersTest {

  private static final double LEARNING_RATE = 2e-4;
  private static final double WEIGHT_DECAY = 0.9;
  private static final double PERCENT = 1e-3;
  private static final double NOISE = 1e-12;

  static List<String> architectures() {
    return EagerClassifiers.names();
  }

  @ParameterizedTest
  @MethodSource("architectures")
  void classifiesAsTheOriginalDoes(String architecture) {
    Golden golden = Golden.read(architecture);
    try (PointerScope scope = new PointerScope();
        EagerClassifier network = create(architecture, inOrder(golden, architecture), ScalarType.Float)) {
      assertAsExactAsPyTorch(
          network.forward(tensor(golden, "images"), false), golden, "logits_eval");
    }
  }

  /**
   * In float64, as the golden: rounding is no excuse. ResNet101 is ResNet50's code, and ConvNeXt,
   * which has no BatchNorm, the same function as in evaluation; in float64 both take minutes.
   */
  @ParameterizedTest
  @ValueSource(strings = {"resnet50", "mobilenet_v3_small", "vit_b", "vit_b_p4"})
  void differentiatesAsTheOriginalDoes(String architecture) {
    Golden golden = Golden.read(architecture);
    Map<String, TensorView> weights = inOrder(golden, architecture);
    weights.replaceAll((name, weight) -> asBfloat16(weight));
    try (PointerScope scope = new PointerScope();
        EagerClassifier network = create(architecture, weights, ScalarType.Double);
        EagerTrainer trainer = new EagerTrainer(network, LEARNING_RATE, WEIGHT_DECAY)) {
      Tensor images = tensor(golden, "images").to(ScalarType.Double);
      Tensor labels = tensor(golden, "labels").to(ScalarType.Long);
      double loss = golden.get("losses").toFloats()[0];
      assertThat(trainer.gradients(images, labels)).isCloseTo(loss, withinPercentage(PERCENT));
      assertGradientNorms(network, golden.get("grad_l2").toFloats());
    }
  }

  private static EagerClassifier create(
      String architecture, Map<String, TensorView> weights, ScalarType type) {
    return EagerClassifiers.create(architecture, weights, EagerOptions.deterministic(type));
  }

  private static void assertGradientNorms(EagerClassifier network, float[] expected) {
    assertThat(network.trainable()).hasSize(expected.length);
    for (int i = 0; i < expected.length; i++) {
      assertThat(network.trainable().get(i).grad().norm().item_double())
          .as("gradient norm of parameter %d", i)
          .isCloseTo(expected[i], offset(Math.max(NOISE, expected[i] * PERCENT / 100)));
    }
  }

  /** Parameters in the original's order, then the buffers. */
  private static Map<String, TensorView> inOrder(Golden golden, String architecture) {
    Map<String, TensorView> all = golden.weights(architecture + ".");
    Map<String, TensorView> ordered = new LinkedHashMap<>();
    for (JsonNode name : golden.meta().get("parameters")) {
      ordered.put(name.asText(), all.get(name.asText()));
    }
    ordered.putAll(all);
    return ordered;
  }

  /**
   * The golden's training steps began with weights that a run in bfloat16 had rounded (to nearest,
   * ties to even); its evaluation logits came before.
   */
  private static TensorView asBfloat16(TensorView weight) {
    float[] values = weight.toFloats();
    for (int i = 0; i < values.length; i++) {
      int bits = Float.floatToRawIntBits(values[i]);
      int rounded = bits + 0x7FFF + ((bits >>> 16) & 1);
      values[i] = Float.intBitsToFloat(rounded & 0xFFFF0000);
    }
    return TensorView.ofFloats(weight.name(), weight.shape(), values);
  }
}
