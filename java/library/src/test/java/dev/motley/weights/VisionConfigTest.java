// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VisionConfigTest {
  private static final VisionConfig VIT_L_14 =
      new VisionConfig(224, 14, 1024, 24, 16, 4096, 768, "quick_gelu", 1e-5);

  private static final String VIT_L_KEYS =
      """
      {"hidden_size": 1024, "intermediate_size": 4096, "num_attention_heads": 16,
       "num_hidden_layers": 24, "patch_size": 14}""";

  @TempDir private Path folder;

  private VisionConfig read(String json) throws IOException {
    return VisionConfig.read(Files.writeString(folder.resolve("config.json"), json));
  }

  /** As the safety checkers of v1.4 and v1.5 are published, and as present versions write them. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"vision_config\": %s",
        "\"vision_config_dict\": %s, \"vision_config\": {\"hidden_size\": 768, \"model_type\": \"clip_vision_model\"}",
        "\"vision_config_dict\": %s",
        "\"vision_config_dict\": null, \"vision_config\": %s"
      })
  void theSafetyCheckersIsNested(String nested) throws IOException {
    String json =
        "{\"architectures\": [\"StableDiffusionSafetyChecker\"], \"model_type\": \"clip\", \"projection_dim\": 768,"
            + " \"text_config\": {\"hidden_size\": 768}, "
            + nested.formatted(VIT_L_KEYS)
            + "}";
    assertThat(read(json)).isEqualTo(VIT_L_14);
    assertThat(read(json.replace("\"model_type\": \"clip\", ", ""))).isEqualTo(VIT_L_14);
  }

  @Test
  void anImageEncodersIsFlat() throws IOException {
    assertThat(
            read(
                """
                {"architectures": ["CLIPVisionModelWithProjection"], "attention_dropout": 0.0, "dropout": 0.0,
                 "hidden_act": "quick_gelu", "hidden_size": 1024, "image_size": 224, "intermediate_size": 4096,
                 "layer_norm_eps": 1e-05, "model_type": "clip_vision_model", "num_attention_heads": 16,
                 "num_channels": 3, "num_hidden_layers": 24, "patch_size": 14, "projection_dim": 768}\
                """))
        .isEqualTo(VIT_L_14);
  }

  @Test
  void whatIsAbsentHasTransformersDefault() throws IOException {
    var vitB32 = new VisionConfig(224, 32, 768, 12, 12, 3072, 512, "quick_gelu", 1e-5);
    assertThat(read("{\"model_type\": \"clip_vision_model\"}")).isEqualTo(vitB32);
    assertThat(read("{\"vision_config\": {\"projection_dim\": 768}}")).isEqualTo(vitB32);
    assertThat(read("{\"hidden_act\": \"gelu\"}").activation()).isEqualTo("gelu");
  }

  @Test
  void whatIsNotSupportedIsNamed() {
    for (Map.Entry<String, String> bad :
        Map.of(
                "{\"model_type\": \"clip\"}", "config.json: vision_config is missing; expected an object",
                "{\"model_type\": \"siglip\"}", "model_type is \"siglip\", which is not supported",
                "{\"vision_config\": {\"num_channels\": 1}}", "config.json: vision_config: num_channels is 1",
                "{\"vision_config\": {\"hidden_act\": \"relu\"}}", "config.json: vision_config: hidden_act is \"relu\"",
                "{\"vision_config\": {\"patch_size\": 0}}", "config.json: vision_config: patch_size is 0",
                "{\"vision_config\": 3}", "vision_config is 3",
                "{\"num_attention_heads\": 7}", "num_attention_heads is 7, which is not supported; expected a divisor")
            .entrySet()) {
      assertThatThrownBy(() -> read(bad.getKey()))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining(bad.getValue());
    }
  }

  @Test
  void encoderTensorsLoseTheOtherPartsAndTheSecondPrefix() {
    Map<String, TensorView> tensors = new LinkedHashMap<>();
    for (String name :
        List.of(
            "vision_model.vision_model.pre_layrnorm.bias",
            "vision_model.vision_model.embeddings.position_ids",
            "vision_model.post_layernorm.bias",
            "visual_projection.weight",
            "text_model.final_layer_norm.bias",
            "text_projection.weight",
            "logit_scale")) {
      tensors.put(name, TensorView.ofFloats(name, new long[] {1}, 1));
    }
    Map<String, TensorView> vision = VisionConfig.encoderTensors(tensors);
    assertThat(vision)
        .containsOnlyKeys(
            "vision_model.pre_layrnorm.bias",
            "vision_model.post_layernorm.bias",
            "visual_projection.weight");
    vision.forEach((name, tensor) -> assertThat(tensor.name()).isEqualTo(name));
  }
}
