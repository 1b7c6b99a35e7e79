// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;

/** The names that diffusers' own converter gives the tensors of Stable Diffusion v1. */
class LdmKeysTest {
  private static final int TENSORS = 1130;

  private final LdmCheckpoint.BuiltIn v1 = LdmCheckpoint.BuiltIn.read();

  @Test
  void everyNameOfV1LeadsThereAndBack() throws IOException {
    Map<String, String> expected = published();
    assertThat(expected).hasSize(TENSORS);
    Map<String, String> back = new LinkedHashMap<>();
    back.putAll(inverse("unet.", ModelShapes.unet(v1.unet()), LdmKeys::unet));
    back.putAll(inverse("vae.", ModelShapes.vae(v1.vae()), LdmKeys::vae));
    back.putAll(inverse("text_encoder.", ModelShapes.text(v1.text()), LdmKeys::text));
    assertThat(back).isEqualTo(expected);
  }

  /** The counts of the published weights: 859,520,964, 83,653,863 and 123,060,480 numbers. */
  @Test
  void theShapesOfV1HoldItsParameters() {
    assertThat(elements(ModelShapes.unet(v1.unet()))).isEqualTo(859_520_964);
    assertThat(elements(ModelShapes.vae(v1.vae()))).isEqualTo(83_653_863);
    assertThat(elements(ModelShapes.text(v1.text()))).isEqualTo(123_060_480);
  }

  @Test
  void averagedWeightsAreNamedWithoutDots() {
    assertThat(LdmKeys.ema(LdmKeys.unet("conv_in.weight"))).isEqualTo("model_ema.diffusion_modelinput_blocks00weight");
    assertThat(LdmKeys.ema(LdmKeys.unet("up_blocks.3.resnets.2.conv_shortcut.weight")))
        .isEqualTo("model_ema.diffusion_modeloutput_blocks110skip_connectionweight");
  }

  private static Map<String, String> inverse(String part, Map<String, long[]> shapes, UnaryOperator<String> rule) {
    Map<String, String> back = LdmKeys.inverse(shapes.keySet(), rule);
    back.replaceAll((_, name) -> part + name);
    return back;
  }

  private static long elements(Map<String, long[]> shapes) {
    return shapes.values().stream()
        .mapToLong(shape -> java.util.Arrays.stream(shape).reduce(1, (a, b) -> a * b))
        .sum();
  }

  static Map<String, String> published() throws IOException {
    try (InputStream in =
        new GZIPInputStream(Objects.requireNonNull(LdmKeysTest.class.getResourceAsStream("ldm_keys.json.gz")))) {
      return new ObjectMapper().readValue(in, new TypeReference<>() {});
    }
  }
}
