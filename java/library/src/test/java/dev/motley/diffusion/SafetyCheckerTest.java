// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.InvalidInputException;
import dev.motley.Precision;
import dev.motley.ffi.NativeRuntime;
import dev.motley.image.RgbImage;
import dev.motley.testing.RandomPicture;
import dev.motley.testing.Shared;
import dev.motley.testing.SmallVision;
import dev.motley.weights.Checkpoint;
import dev.motley.weights.SafeTensorsWriter;
import dev.motley.weights.TensorView;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On a small random encoder, whose concepts are the embeddings of pictures themselves. */
class SafetyCheckerTest {
  private static final int WIDTH = 32;

  private static final List<RgbImage> PICTURES =
      List.of(RandomPicture.of(28, 28), RandomPicture.of(40, 60), RandomPicture.of(64, 33), RandomPicture.of(10, 10));

  /** (pictures, WIDTH). */
  private static float[] embeddings() {
    try (var encoder = ImageEncoder.of("a file", SmallVision.CONFIG, SmallVision.tensors(), Precision.FP32)) {
      return encoder.encode(PICTURES, ClipPreprocessing.CENTRE_CROP);
    }
  }

  private static double cosine(float[] embeddings, int a, int b) {
    double[] x = SafetyConcepts.direction(embeddings, a * WIDTH, WIDTH);
    double[] y = SafetyConcepts.direction(embeddings, b * WIDTH, WIDTH);
    double sum = 0;
    for (int i = 0; i < WIDTH; i++) {
      sum += x[i] * y[i];
    }
    return sum;
  }

  /** Picture 1 is a concept and picture 2 a special-care concept; each has itself above its threshold, and no other. */
  private static Map<String, TensorView> checker(float[] embeddings) {
    Map<String, TensorView> tensors = new LinkedHashMap<>();
    SmallVision.tensors()
        .forEach((name, tensor) -> tensors.put(name.startsWith("vision_model.") ? "vision_model." + name : name, tensor));
    concept(tensors, "concept_embeds", embeddings, 1);
    concept(tensors, "special_care_embeds", embeddings, 2);
    return tensors;
  }

  private static void concept(Map<String, TensorView> tensors, String name, float[] embeddings, int picture) {
    double nearest = -1;
    for (int i = 0; i < PICTURES.size(); i++) {
      nearest = i == picture ? nearest : Math.max(nearest, cosine(embeddings, i, picture));
    }
    float[] values = new float[WIDTH];
    for (int i = 0; i < WIDTH; i++) {
      values[i] = 3 * embeddings[picture * WIDTH + i]; // only the direction counts
    }
    tensors.put(name, TensorView.ofFloats(name, new long[] {1, WIDTH}, values));
    String weights = name + "_weights";
    tensors.put(weights, TensorView.ofFloats(weights, new long[] {1}, (float) ((1 + nearest) / 2)));
  }

  @Test
  void picturesAreComparedWithTheConcepts() {
    long before = NativeRuntime.liveBytes();
    float[] embeddings = embeddings();
    Map<String, TensorView> tensors = checker(embeddings);
    try (var checker = SafetyChecker.of("a file", SmallVision.CONFIG, tensors, Precision.FP32)) {
      List<SafetyVerdict> verdicts = checker.check(PICTURES);
      assertThat(verdicts).hasSize(4);
      for (int i = 0; i < 4; i++) {
        double threshold = tensors.get("concept_embeds_weights").toFloats()[0];
        double adjustment = i == 2 ? 0.01 : 0;
        double expected = Math.rint((cosine(embeddings, i, 1) - threshold + adjustment) * 1000) / 1000;
        assertThat(verdicts.get(i).conceptScores()).containsExactly(expected);
        assertThat(verdicts.get(i).flagged()).isEqualTo(i == 1);
        assertThat(verdicts.get(i).specialCare()).isEqualTo(i == 2 ? List.of(0) : List.of());
        assertThat(checker.check(List.of(PICTURES.get(i)))).containsExactly(verdicts.get(i));
      }
      RgbImage drawn = PICTURES.get(1);
      var pictures = new Pictures(1, drawn.height(), drawn.width(), drawn.pixels(), List.of(Quality.GOOD));
      assertThat(checker.check(pictures)).containsExactly(verdicts.get(1));
    }
    assertThat(NativeRuntime.liveBytes()).isEqualTo(before);
  }

  /** The tensors' names as transformers 5 writes them, and the configuration nested. */
  @Test
  void theCheckerOfAModelFolderIsFound(@TempDir Path folder) throws IOException {
    Map<String, TensorView> tensors = checker(embeddings());
    CheckpointFormsTest.copy(Shared.repository().resolve("models/clothes"), folder);
    try (var model = Checkpoint.open(folder)) {
      assertThat(model.safetyChecker()).isEmpty();
    }
    Path part = Files.createDirectory(folder.resolve("safety_checker"));
    Files.writeString(
        part.resolve("config.json"),
        """
        {"architectures": ["StableDiffusionSafetyChecker"], "model_type": "clip", "projection_dim": 32,
         "vision_config": {"hidden_size": 48, "image_size": 28, "intermediate_size": 96, "num_attention_heads": 4,
                           "num_hidden_layers": 3, "patch_size": 7}}\
        """);
    List<TensorView> present =
        tensors.values().stream()
            .map(tensor -> tensor.renamed(tensor.name().replace("vision_model.vision_model.", "vision_model.")))
            .toList();
    SafeTensorsWriter.write(part.resolve("model.safetensors"), present, Map.of());
    try (var model = Checkpoint.open(folder);
        var found = SafetyChecker.of(model.safetyChecker().orElseThrow(), Precision.FP32);
        var given = SafetyChecker.of("a file", SmallVision.CONFIG, tensors, Precision.FP32)) {
      assertThat(found.check(PICTURES)).isEqualTo(given.check(PICTURES));
    }
  }

  @Test
  void anIncompleteCheckerIsRefused() {
    Map<String, TensorView> tensors = checker(embeddings());
    tensors.put("surplus", TensorView.ofFloats("surplus", new long[] {1}, 1));
    refused(tensors, "a file: vision_encoder: surplus (1) is not part of the model");
    tensors.remove("surplus");
    tensors.remove("special_care_embeds_weights");
    refused(tensors, "a file: special_care_embeds_weights is missing");
  }

  private static void refused(Map<String, TensorView> tensors, String complaint) {
    assertThatThrownBy(() -> SafetyChecker.of("a file", SmallVision.CONFIG, tensors, Precision.FP32))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(complaint);
  }
}
