// SPDX-License-Identifier: Apache-2.0
package dev.motley.results;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.InvalidInputException;
import dev.motley.config.Tree;
import dev.motley.train.Recipe;
import dev.motley.tricks.Trick;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainingRecordTest {
  @TempDir private Path folder;

  static Recipe recipe(Map<String, Object> tree) {
    return Recipe.fromTree(Tree.of("recipe", tree, Recipe.KEYS), "other", 32);
  }

  private Trained trained(String name) {
    return TrainedFixture.trained(folder.resolve(name), "cifar10", Map.of(Trick.BASE_CLASS, 5), "bilinear", "resnet50", 3, 50);
  }

  @Test
  void whatIsWrittenIsReadBack() {
    Trained one = TrainedFixture.write(trained("one"));
    assertThat(TrainingRecord.read(one.folder())).isEqualTo(one.record());
    Trained two = TrainedFixture.write(trained("two/deep"));
    Trainings all = Trainings.in(List.of(folder, folder.resolve("two")));
    assertThat(all.tested()).as("each once").containsExactly(one, two);
  }

  @Test
  void aTestIsForgottenWithItsTraining() {
    Trained one = TrainedFixture.write(trained("one"));
    assertThat(TrainingRecord.note(one.folder(), one.record().recipe(), one.record().data())).isEqualTo(one.record());
    assertThat(TrainingRecord.note(one.folder(), one.record().recipe().withSeed(4), one.record().data()).test()).isEmpty();
    assertThat(Trainings.in(List.of(folder)).untested()).containsExactly(one.folder());
  }

  @Test
  void whatIsDamagedIsOneLineThatNamesIt() throws IOException {
    Path file = TrainedFixture.write(trained("one")).folder().resolve(TrainingRecord.FILE);
    String whole = Files.readString(file);
    refused(file + ", line ", file, "format: [");
    refused(file + " is no record of a training: 'format' must be 1, found 2", file, whole.replace("format: 1", "format: 2"));
    refused("unknown key of 'data.per-class' 'base-clas'; did you mean 'base-class'", file, whole.replace("base-class:", "base-clas:"));
    refused("'data.images' is missing", file, whole.replaceFirst("(?m)^  images: \\d+\n", ""));
    refused("evaluation.json is of 10 classes, the training beside it of 9: test it again", file, whole.replace("classes: 10", "classes: 9"));
    Files.writeString(file, whole);
    Path evaluation = file.resolveSibling(TrainingRecord.EVALUATION);
    Files.writeString(evaluation, "{");
    assertThatThrownBy(() -> Trainings.in(List.of(folder))).isInstanceOf(InvalidInputException.class).hasMessageContaining(evaluation.toString());
    Files.delete(evaluation);
    assertThatThrownBy(() -> Trainings.in(List.of(folder))).hasMessage("no evaluation at " + evaluation);
  }

  private void refused(String message, Path file, String text) throws IOException {
    Files.writeString(file, text);
    assertThatThrownBy(() -> Trainings.in(List.of(folder)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(message)
        .extracting(Throwable::getMessage)
        .asString()
        .doesNotContain("\n");
  }

  @Test
  void aFolderWithoutATrainingIsRefused() {
    assertThatThrownBy(() -> Trainings.in(List.of(folder)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("no finished training in %s: 'run', 'train' and 'paper' leave a training.yaml beside each model", folder);
    assertThatThrownBy(() -> Trainings.in(List.of(folder.resolve("none")))).hasMessage(folder.resolve("none") + ": no such folder");
  }

  @Test
  void aDatasetIsToldByItsClassesInAnyOrderAndSpelling() {
    assertThat(TrainingData.dataset(List.of("truck", "ship", "horse", "frog", "dog", "deer", "cat", "bird", "automobile", "airplane"), "x"))
        .isEqualTo("cifar10");
    assertThat(TrainingData.dataset(List.of("truck", "ship"), "vehicles")).isEqualTo("vehicles");
  }
}
