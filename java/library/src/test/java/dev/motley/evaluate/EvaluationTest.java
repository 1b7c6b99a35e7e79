// SPDX-License-Identifier: Apache-2.0
package dev.motley.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.InvalidInputException;
import dev.motley.ResourceException;
import dev.motley.dataset.ImageSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvaluationTest {

  private static final List<String> CLASSES = List.of("t-shirt", "ankle \"boot\"", "Kleid <ü>");

  @TempDir Path folder;

  private static Evaluation evaluation() {
    var random = new Random(3);
    float[] running = new float[60];
    float[] batch = new float[60];
    int[] labels = new int[20];
    for (int i = 0; i < 60; i++) {
      running[i] = (float) random.nextGaussian();
      batch[i] = (float) random.nextGaussian();
      labels[i / 3] = (i / 3) % 3;
    }
    return Evaluation.of(CLASSES, 128, running, batch, labels);
  }

  @Test
  void comesBackEqualFromJson() {
    Evaluation evaluation = evaluation();
    String json = evaluation.toJson();
    assertThat(Evaluation.fromJson(json)).isEqualTo(evaluation);
    assertThat(Evaluation.fromJson(json).toJson()).isEqualTo(json);
    assertThat(json)
        .contains("\"accuracy\"", "\"interval95\"", "\"calibrationError\"")
        .endsWith("}\n");
    assertThat(evaluation.running()).isNotEqualTo(evaluation.batchStatistics());
  }

  @Test
  void printsAsALineForPeople() {
    float[] right = {1, 0, 0, 1};
    float[] half = {1, 0, 1, 0};
    assertThat(Evaluation.of(List.of("a", "b"), 2, half, right, new int[] {0, 1}))
        .hasToString("2 images: 50.0 % right with running statistics, 100.0 % with batch statistics");
  }

  @Test
  void comesBackEqualFromAFile() throws Exception {
    Path file = folder.resolve("evaluation.json");
    evaluation().write(file);
    assertThat(Evaluation.read(file)).isEqualTo(evaluation());
    try (var files = Files.list(folder)) {
      assertThat(files).containsExactly(file);
    }
  }

  @Test
  void theKeysHaveTheirOrder() {
    assertThat(evaluation().toJson().replaceAll("[^a-zA-Z0-9]+", " "))
        .contains("running total correct", "accuracy", "interval95", "topK 3 topKTally correct", "calibrationError")
        .containsPattern("correct \\d+ images \\d+ accuracy [0-9 ]+ interval95 ")
        .containsPattern("calibrationError .* perClass .* confusion .* calibration .* worstMistakes");
  }

  @Test
  void saysWhatIsWrongWithAFile() throws Exception {
    Path missing = folder.resolve("none.json");
    assertThatThrownBy(() -> Evaluation.read(missing))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("no evaluation at " + missing);

    Path file = folder.resolve("evaluation.json");
    String json = evaluation().toJson();
    refused(file, json.replaceFirst("\"batch\"", "\"bach\""), "'batch'");
    refused(file, json.replaceFirst("\"batch\"", "\"bach\" : 1, \"batch\""), "bach");
    refused(file, json.replaceFirst("\"format\" : 1", "\"format\" : 2"), "expected 1");
    refused(file, json.substring(0, json.length() / 2), file.toString());
    refused(file, json.replaceFirst("\"t-shirt\", ", ""), "scores of 3 classes for the 2 classes");
    refused(file, "[]", "not an evaluation");
  }

  @Test
  void aFileThatCannotBeWrittenIsNamed() throws IOException {
    Path file = Files.writeString(folder.resolve("a-file"), "").resolve("evaluation.json");
    assertThatThrownBy(() -> evaluation().write(file))
        .isInstanceOf(ResourceException.class)
        .hasMessageContaining(file.toString());
    Path made = folder.resolve("new/folder/evaluation.json");
    evaluation().write(made);
    assertThat(Evaluation.read(made)).isEqualTo(evaluation());
  }

  /** One pixel each, labelled 0, 1, 2 ... and shaded so. */
  private static ImageSet shades(List<String> names) {
    byte[] pixels = new byte[3 * names.size()];
    IntStream.range(0, pixels.length).forEach(i -> pixels[i] = (byte) (i / 3));
    return new ImageSet("shades", 1, 1, pixels, IntStream.range(0, names.size()).toArray(), names);
  }

  @Test
  void classesMustBeTheSame() {
    ImageSet wrong = shades(List.of("cat", "bird"));
    assertThatThrownBy(() -> ClassNames.inOrderOf(List.of("cat", "dog"), wrong, "cifar"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("cifar has 2 classes [cat, bird]")
        .hasMessageContaining("trained on 2 classes [cat, dog]");
    assertThatThrownBy(
            () -> ClassNames.inOrderOf("the sets have", List.of("cat"), shades(List.of("dog")), "cifar", "give others"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("cifar has 1 classes [dog], the sets have 1 classes [cat], which are not the same: give others");
  }

  @Test
  void labelsFollowTheModelsOrder() {
    List<String> model = List.of("dog", "aquarium fish", "cat");
    ImageSet folders = shades(List.of("cat", "dog", "aquarium_fish"));
    ImageSet images = ClassNames.inOrderOf(model, folders, "folders");
    assertThat(images.classNames()).isEqualTo(model);
    assertThat(images.labels()).containsExactly(2, 0, 1);
    assertThat(images.pixels()).as("not copied").isSameAs(folders.pixels());
  }

  @Test
  void longClassListsAreShownByTheirDifferences() {
    List<String> model = IntStream.range(0, 100).mapToObj(i -> "m" + i).toList();
    List<String> data = IntStream.range(0, 100).mapToObj(i -> i == 42 ? "x" : "m" + i).toList();
    assertThatThrownBy(() -> ClassNames.inOrderOf(model, shades(data), "test"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("test has 100 classes, of them only here [x]")
        .hasMessageContaining("100 classes, of them only here [m42]");
  }

  private static void refused(Path file, String json, String expected) throws Exception {
    Files.writeString(file, json);
    assertThatThrownBy(() -> Evaluation.read(file))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining(expected)
        .hasMessageNotContaining("\n");
  }
}
