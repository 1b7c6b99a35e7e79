// SPDX-License-Identifier: Apache-2.0
package dev.motley.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.CancelledException;
import dev.motley.InvalidInputException;
import dev.motley.Normalisation;
import dev.motley.Precision;
import dev.motley.ProgressListener;
import dev.motley.dataset.ImageSet;
import dev.motley.weights.SafeTensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Trainings that begin with given weights. */
class TransferTest {
  private static final List<String> TWO = List.of("dark", "light");
  private static final Set<String> HEAD = Set.of("linear.weight", "linear.bias");

  @TempDir private Path folder;

  private static ImageSet images() {
    var random = new Random(5);
    byte[] pixels = new byte[20 * 32 * 32 * 3];
    int[] labels = new int[20];
    for (int i = 0; i < pixels.length; i++) {
      int image = i / (32 * 32 * 3);
      labels[image] = image % 2;
      pixels[i] = (byte) (40 + 60 * labels[image] + random.nextInt(100));
    }
    return new ImageSet("two shades", 32, 32, pixels, labels, TWO);
  }

  private Path given(String architecture, List<String> classes) {
    Path file = folder.resolve(architecture + classes.size() + ".safetensors");
    try (Classifier fresh =
        Classifier.create(new ClassifierSpec(architecture, 32, classes, Normalisation.IMAGENET), Precision.FP32, 9)) {
      fresh.save(file);
    }
    return file;
  }

  private static Recipe recipe(int epochs) {
    return Recipe.quick(32).with(Map.of("architecture", "resnet20", "epochs", epochs, "batch", 8, "learning-rate", 0.05));
  }

  private TrainingResult train(String name, int epochs, Path from, boolean headOnly, ProgressListener listener) {
    return Training.run(
        images(), recipe(epochs), Optional.of(new Transfer(from, headOnly)), folder.resolve(name), Duration.ZERO, listener);
  }

  private static Set<String> changed(Path before, Path after) {
    try (SafeTensors a = SafeTensors.open(before);
        SafeTensors b = SafeTensors.open(after)) {
      assertThat(b.names()).isEqualTo(a.names());
      return a.names().stream()
          .filter(name -> !a.tensor(name).data().equals(b.tensor(name).data()))
          .collect(Collectors.toSet());
    }
  }

  @Test
  void theHeadAloneIsTrainedAndLearns() {
    Path given = given("resnet20", TWO);
    TrainingResult result = train("head", 30, given, true, ProgressListener.NONE);
    assertThat(changed(given, result.model())).isEqualTo(HEAD);
    assertThat(result.epochs().getLast().loss()).isLessThan(0.7 * result.epochs().getFirst().loss());
  }

  @Test
  void allOfItIsTrainedFromTheGivenWeights() {
    Path given = given("resnet20", TWO);
    TrainingResult result = train("all", 1, given, false, ProgressListener.NONE);
    assertThat(changed(given, result.model())).contains("conv1.weight", "layer3.2.bn2.running_var", "linear.bias");
    Path scratch = Training.run(images(), recipe(1), folder.resolve("scratch"), Duration.ZERO, ProgressListener.NONE).model();
    assertThat(changed(scratch, result.model())).contains("conv1.weight");
  }

  @Test
  void otherClassesGetAFreshHead() {
    Path given = given("resnet20", List.of("a", "b", "c"));
    TrainingResult result = train("fresh", 1, given, true, ProgressListener.NONE);
    try (Classifier trained = Classifier.load(result.model(), Precision.FP32)) {
      assertThat(trained.spec().classNames()).isEqualTo(TWO);
      assertThat(trained.shape("linear.weight")).containsExactly(2L, 64L);
    }
    assertThat(changed(given, result.model())).isEqualTo(HEAD);
  }

  @Test
  void aHeadThatWasStoppedEndsWithTheSameBits() throws IOException {
    Path given = given("resnet20", TWO);
    Path whole = train("whole", 2, given, true, ProgressListener.NONE).model();
    int[] steps = {0};
    assertThatThrownBy(() -> train("parts", 2, given, true, _ -> ++steps[0] < 4)).isInstanceOf(CancelledException.class);
    Path parts = train("parts", 2, given, true, ProgressListener.NONE).model();
    assertThat(Files.readAllBytes(parts)).isEqualTo(Files.readAllBytes(whole));
    assertThatThrownBy(() -> train("parts", 2, given, false, ProgressListener.NONE))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("holds a training of another recipe or data set");
  }

  @Test
  void anotherNetworkIsRefused() {
    assertThatThrownBy(() -> train("other", 1, given("resnet56", TWO), true, ProgressListener.NONE))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContainingAll("resnet562.safetensors is a resnet56", "the recipe trains a resnet20");
    assertThatThrownBy(() -> train("none", 1, folder.resolve("none.safetensors"), true, ProgressListener.NONE))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("none.safetensors");
  }
}
