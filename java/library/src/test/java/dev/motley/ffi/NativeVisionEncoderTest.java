// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.motley.InvalidInputException;
import dev.motley.Precision;
import dev.motley.testing.Golden;
import dev.motley.weights.NativeTensors;
import dev.motley.weights.TensorView;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;

class NativeVisionEncoderTest {

  /** Twice PyTorch's own error in float32, as the golden records it, is below this. */
  private static final float TOLERANCE = 2e-6f;

  private static NativeVisionEncoder encoder(Golden golden) {
    var c = golden.meta().get("config");
    var config =
        new VisionConfig(
            c.get("image_size").intValue(),
            c.get("patch_size").intValue(),
            c.get("hidden_size").intValue(),
            c.get("num_hidden_layers").intValue(),
            c.get("num_attention_heads").intValue(),
            c.get("intermediate_size").intValue(),
            c.get("projection_dim").intValue(),
            TextConfig.Activation.QUICK_GELU,
            Precision.FP32,
            1e-5);
    return NativeTensors.make(
        "golden",
        golden.weights("clip_vision.").values(),
        weights -> NativeVisionEncoder.create(config, weights));
  }

  @Test
  void embeddingsAreTransformers() {
    long before = NativeRuntime.liveBytes();
    Golden golden = Golden.read("clip_vision_small");
    float[] expected = golden.get("image_embeds").toFloats();
    try (var encoder = encoder(golden)) {
      float[] found = encoder.encode(golden.get("pixels").toFloats());
      assertThat(found).hasSameSizeAs(expected);
      for (int i = 0; i < found.length; i++) {
        assertThat(found[i]).isCloseTo(expected[i], within(TOLERANCE));
      }
      assertThatThrownBy(() -> encoder.encode(new float[28 * 28]))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("pixels has 784 elements, expected a multiple of (3, 28, 28)");
    }
    assertThat(NativeRuntime.liveBytes()).isEqualTo(before);
  }

  @Test
  void aMissingTensorIsNamed() {
    Golden golden = Golden.read("clip_vision_small");
    var config =
        new VisionConfig(28, 7, 48, 3, 4, 96, 32, TextConfig.Activation.QUICK_GELU, Precision.BF16, 1e-5);
    var tensors = new ArrayList<TensorView>(golden.weights("clip_vision.").values());
    tensors.removeIf(tensor -> tensor.name().equals("visual_projection.weight"));
    assertThatThrownBy(
            () ->
                NativeTensors.make(
                    "a file", tensors, weights -> NativeVisionEncoder.create(config, weights)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContainingAll("a file: ", "visual_projection.weight is missing (expected (32, 48))");
  }
}
