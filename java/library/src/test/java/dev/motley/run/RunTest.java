// SPDX-License-Identifier: Apache-2.0
package dev.motley.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.CancelledException;
import dev.motley.InvalidInputException;
import dev.motley.ProgressListener;
import dev.motley.dataset.SyntheticStore;
import dev.motley.files.FolderLock;
import dev.motley.image.Png;
import dev.motley.testing.CheckedModel;
import dev.motley.testing.RandomPicture;
import dev.motley.testing.Shared;
import dev.motley.testing.SmallVision;
import dev.motley.tricks.ClassList;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RunTest {
  private static final Embedded EMBEDDED = Embedded.in(Shared.repository());

  @TempDir private Path folder;

  private static RunConfig config() {
    Map<String, Object> plan =
        Map.of("classes", "fashion-mnist", "per-class", 1, "sampling", Map.of("steps", 2));
    return RunConfig.of(Map.of("sets", List.of(Map.of("name", "Base", "plan", plan))), EMBEDDED);
  }

  @Test
  void anErrorLetsTheFolderGo() {
    var error = new AssertionError("from the listener");
    assertThatThrownBy(
            () ->
                Run.execute(
                    config(),
                    EMBEDDED,
                    folder,
                    progress -> {
                      if (progress.stage().equals("load")) {
                        return true;
                      }
                      throw error;
                    }))
        .isSameAs(error);
    assertThat(folder.resolve("config.yaml")).as("it came as far as drawing").exists();
    FolderLock.take(folder).close();
    FolderLock.take(folder.resolve("base/images")).close();
  }

  @Test
  void aRunThatDrewNothingIsNotInTheWayOfAnother() throws IOException {
    ProgressListener stop = progress -> progress.stage().equals("load");
    assertThatThrownBy(() -> Run.execute(config(), EMBEDDED, folder, stop)).isInstanceOf(CancelledException.class);
    String first = Files.readString(folder.resolve("config.yaml"));
    Map<String, Object> other = new HashMap<>(config().toTree());
    other.put("title", "Another");
    assertThatThrownBy(() -> Run.execute(RunConfig.of(other, EMBEDDED), EMBEDDED, folder, stop))
        .as("not refused, but stopped")
        .isInstanceOf(CancelledException.class);
    assertThat(folder.resolve("config.yaml")).content().isNotEqualTo(first).contains("Another");
  }

  @Test
  void aRunThatWasStoppedReportsAllItsTimeAndTestsOnce() throws IOException {
    Map<String, Object> plan = Map.of("classes", "fashion-mnist", "per-class", 2, "sampling", Map.of("steps", 2));
    var config =
        RunConfig.of(
            Map.of(
                "sets", List.of(Map.of("name", "Base", "plan", plan)),
                "batch", 5,
                "recipe", Map.of("epochs", 2),
                "test-batch", 1000),
            EMBEDDED);
    assertThatThrownBy(() -> Run.execute(config, EMBEDDED, folder, progress -> !progress.stage().equals("train")))
        .isInstanceOf(CancelledException.class);
    var stages = new ArrayList<String>();
    ProgressListener hear =
        progress -> {
          stages.add(progress.stage());
          return true;
        };
    RunResult first = Run.execute(config, EMBEDDED, folder, hear);
    assertThat(stages).contains("train", "test");
    assertThat(Files.readString(first.report())).contains("Generate: Base").contains("20 images");
    stages.clear();
    RunResult again = Run.execute(config, EMBEDDED, folder, hear);
    assertThat(stages).as("all was done").doesNotContain("train", "test");
    assertThat(again.evaluations()).isEqualTo(first.evaluations());
    assertThat(Files.readString(again.report())).contains("Generate: Base", "Train: Base", "Test: Base");
    Files.writeString(folder.resolve("base/ledger.yaml"), "drawn: [");
    Files.writeString(folder.resolve("base/resnet50/seed-0/training.yaml"), "recipe: [");
    Run.execute(config, EMBEDDED, folder, hear);
    assertThat(stages).as("what is damaged costs a test, no more").contains("test").doesNotContain("train");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          vit_b          | 40 | 0   | image size 40 is not a multiple of 16
          convnext_small | 28 | 0   | convnext_small
          resnet50       | 32 | 20  | set 'Base' has 20 images, of which the recipe holds out 20
          resnet50       | 32 | 10  | 10 images in batches of 9 leave a batch of one image
          """)
  void whatCannotBeTrainedIsRefusedBeforeAnythingIsDrawn(String architecture, int size, int heldOut, String complaint) {
    Map<String, Object> plan = Map.of("classes", "fashion-mnist", "per-class", 2, "sampling", Map.of("steps", 1));
    var config =
        RunConfig.of(
            Map.of(
                "sets", List.of(Map.of("name", "Base", "plan", plan)),
                "architectures", List.of("mobilenet_v3_small", architecture),
                "stored-size", size,
                "recipe", Map.of("batch", heldOut == 10 ? 9 : 8, "held-out", heldOut)),
            EMBEDDED);
    Path run = folder.resolve("run");
    assertThatThrownBy(() -> Run.execute(config, EMBEDDED, run, ProgressListener.NONE))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(complaint);
    assertThat(run).doesNotExist();
  }

  /** One picture of each class: fewer to test than the whole test set. */
  private Path fewRealImages() throws IOException {
    for (String label : ClassList.preset("fashion-mnist").labels()) {
      Path ofClass = Files.createDirectories(folder.resolve("real").resolve(label));
      Files.write(ofClass.resolve("0.png"), Png.encode(RandomPicture.of(32, 32), Map.of()));
    }
    return folder.resolve("real");
  }

  private static Map<String, Object> set(String name, int perClass, String resize) {
    Map<String, Object> plan =
        Map.of("classes", "fashion-mnist", "per-class", perClass, "sampling", Map.of("steps", 1));
    return Map.of("name", name, "plan", plan, "resize", resize);
  }

  /** Stops at the n-th report of a stage. */
  private static ProgressListener stopAt(String stage, int n) {
    int[] left = {n};
    return progress -> !progress.stage().equals(stage) || --left[0] > 0;
  }

  @Test
  void setsShareTheirDrawingsAndEverySeedIsTrainedAndTestedOnce() throws IOException {
    var config =
        RunConfig.of(
            Map.of(
                "sets", List.of(set("Plain", 2, "bilinear"), set("Smooth", 2, "bilinear_aa"), set("Half", 1, "bilinear_aa")),
                "stored-size", 16,
                "batch", 4,
                "recipe", Map.of("epochs", 1, "architecture", "resnet20"),
                "seeds", 2,
                "real", fewRealImages().toString()),
            EMBEDDED);
    Path whole = folder.resolve("whole");
    var subjects = new LinkedHashSet<String>();
    RunResult result =
        Run.execute(config, EMBEDDED, whole, progress -> progress.subject().isEmpty() || subjects.add(progress.subject()) || true);
    assertThat(subjects).containsSequence("Plain", "Plain, resnet20, seed 0 (training 1 of 6)").doesNotContain("Smooth", "Half");
    assertThat(result.trainings()).hasSize(6);
    assertThat(whole.resolve("half/images")).as("a view").doesNotExist();
    SyntheticStore plain = SyntheticStore.open(whole.resolve("plain/images"));
    SyntheticStore smooth = SyntheticStore.open(whole.resolve("smooth/images"));
    assertThat(smooth.entries()).hasSameSizeAs(plain.entries());
    assertThat(smooth.png(smooth.entries().getFirst())).isNotEqualTo(plain.png(plain.entries().getFirst()));
    assertThat(Files.readString(result.report())).contains("Tricks on fashion-mnist", "n 2 (", "Every training");

    Path stopped = folder.resolve("stopped");
    for (ProgressListener listener :
        List.of(stopAt("generate", 3), stopAt("generate", 4), stopAt("train", 4), stopAt("test", 6))) {
      assertThatThrownBy(() -> Run.execute(config, EMBEDDED, stopped, listener)).isInstanceOf(CancelledException.class);
    }
    RunResult again = Run.execute(config, EMBEDDED, stopped, ProgressListener.NONE);
    assertThat(again.evaluations()).isEqualTo(result.evaluations());
    for (String file : List.of("plain/images/000000.tar", "smooth/images/000000.tar", "half/resnet20/seed-1/model.safetensors")) {
      assertThat(stopped.resolve(file)).hasSameBinaryContentAs(whole.resolve(file));
    }
  }

  @Test
  void oneOfTwoStoresThatIsAheadLetsPassWhatItHas() throws IOException {
    var config =
        RunConfig.of(
            Map.of(
                "sets", List.of(set("Plain", 2, "bilinear"), set("Smooth", 2, "bilinear_aa")), "stored-size", 16, "batch", 4,
                "recipe", Map.of("epochs", 1, "architecture", "resnet20"), "real", fewRealImages().toString()),
            EMBEDDED);
    Path run = folder.resolve("run");
    assertThatThrownBy(() -> Run.execute(config, EMBEDDED, run, stopAt("train", 1))).isInstanceOf(CancelledException.class);
    byte[] whole = Files.readAllBytes(run.resolve("plain/images/000000.tar"));
    byte[] smooth = Files.readAllBytes(run.resolve("smooth/images/000000.tar"));
    try (Stream<Path> files = Files.walk(run.resolve("plain/images"))) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
    assertThatThrownBy(() -> Run.execute(config, EMBEDDED, run, stopAt("train", 1))).isInstanceOf(CancelledException.class);
    assertThat(run.resolve("plain/images/000000.tar")).hasBinaryContent(whole);
    assertThat(run.resolve("smooth/images/000000.tar")).hasBinaryContent(smooth);
  }

  @Test
  void theReportTellsWhatTheSafetyCheckerDid() throws IOException {
    float[] concept = new float[32];
    concept[0] = 1;
    Path model = CheckedModel.write(folder.resolve("model"), SmallVision.tensors(), concept, -2); // flags everything
    Map<String, Object> tree = new HashMap<>(config().toTree());
    tree.put("real", fewRealImages().toString());
    tree.put("model", model.toString());
    tree.put("safety", "flag");
    tree.put("recipe", Map.of("epochs", 1));
    Path run = folder.resolve("run");
    for (int i = 0; i < 2; i++) { // the second finds all there
      RunResult result = Run.execute(RunConfig.of(tree, EMBEDDED), EMBEDDED, run, ProgressListener.NONE);
      assertThat(Files.readString(result.report()).replaceAll("<[^>]*>", "|").replaceAll("\\|+", "|"))
          .contains("What the safety checker did")
          .contains("|Base|all classes|10|10|10|0|0|10|")
          .contains("|Base|ankle boot|1|1|1|0|0|1|");
    }
    tree.put("safety", "drop");
    assertThatThrownBy(
            () -> Run.execute(RunConfig.of(tree, EMBEDDED), EMBEDDED, folder.resolve("none"), ProgressListener.NONE))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageEndingWith("has no images: the safety checker had all 10 left out");
    tree.put("model", "embedded");
    Path refused = folder.resolve("refused");
    assertThatThrownBy(() -> Run.execute(RunConfig.of(tree, EMBEDDED), EMBEDDED, refused, ProgressListener.NONE))
        .hasMessageContaining("has no safety checker");
    assertThat(refused).doesNotExist();
  }

  @Test
  void aRunThatWasKilledWhileItWroteItsConfigGoesOn() throws IOException {
    Files.writeString(folder.resolve("lock"), "");
    Files.writeString(folder.resolve(".config.yaml.tmp"), "title: Clo");
    ProgressListener stopAtOnce = progress -> !progress.stage().equals("generate");
    assertThatThrownBy(() -> Run.execute(config(), EMBEDDED, folder, stopAtOnce)).isInstanceOf(CancelledException.class);
    assertThat(folder.resolve("config.yaml")).exists();
    assertThat(folder.resolve(".config.yaml.tmp")).doesNotExist();
  }

  @Test
  void aFolderThatHoldsSomethingElseIsLeftAlone() throws IOException {
    Path other = Files.writeString(folder.resolve("dataset.json"), "{}");
    assertThatThrownBy(() -> Run.execute(config(), EMBEDDED, folder, ProgressListener.NONE))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("%s holds something else than a run: give another folder", folder);
    try (Stream<Path> entries = Files.list(folder)) {
      assertThat(entries).containsExactly(other);
    }
  }
}
