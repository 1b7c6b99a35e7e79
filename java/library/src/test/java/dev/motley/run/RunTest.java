// SPDX-License-Identifier: Apache-2.0
package dev.motley.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.CancelledException;
import dev.motley.InvalidInputException;
import dev.motley.ProgressListener;
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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
    Run.execute(config, EMBEDDED, folder, hear);
    assertThat(stages).as("a damaged ledger costs a test, no more").contains("test");
  }

  @Test
  void theReportTellsWhatTheSafetyCheckerDid() throws IOException {
    float[] concept = new float[32];
    concept[0] = 1;
    Path model = CheckedModel.write(folder.resolve("model"), SmallVision.tensors(), concept, -2); // flags everything
    for (String label : ClassList.preset("fashion-mnist").labels()) { // fewer to test than the whole test set
      Path ofClass = Files.createDirectories(folder.resolve("real").resolve(label));
      Files.write(ofClass.resolve("0.png"), Png.encode(RandomPicture.of(32, 32), Map.of()));
    }
    Map<String, Object> tree = new HashMap<>(config().toTree());
    tree.put("real", folder.resolve("real").toString());
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
