// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.motley.config.Yaml;
import dev.motley.files.FolderLock;
import dev.motley.testing.Shared;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Ctrl-C, {@code kill -9} and a full disk at any stage, against processes: each leaves what was done, says how to go on, and ends
 * with the bytes of a run that nothing hit.
 */
class InterruptionTest {
  private static final String GO_ON = "run the same command again to go on";
  private static final String[] PLAN = {"--per-class", "2", "--steps", "20", "--batch", "2"};
  /** So many that an interruption after the first or second is never one after the last. */
  private static final int EPOCHS = 6;

  private static final String[] RECIPE = {"--epochs", Integer.toString(EPOCHS), "--batch", "10"};

  @TempDir private static Path shared;

  /** A run that nothing hit. */
  private static Path whole;

  private static Path config;

  @TempDir private Path folder;

  @BeforeAll
  static void runWithoutInterruption() throws IOException {
    System.setProperty("motley.home", Shared.repository().toString());
    config = shared.resolve("small.yaml");
    Files.writeString(
        config,
        Yaml.write(
            Map.of(
                "batch", 2,
                "sets",
                    List.of(
                        Map.of(
                            "name",
                            "Base",
                            "plan",
                            Map.of("classes", "fashion-mnist", "per-class", 2, "sampling", Map.of("steps", 20)))),
                "recipe", Map.of("epochs", EPOCHS, "batch", 10),
                "real", NoisyImages.write(shared.resolve("fashion")).toString())));
    whole = shared.resolve("whole");
    assertThat(motley("run", config.toString(), "--out", whole.toString())).isZero();
  }

  /** In this process: where nothing is going to hit it. */
  private static int motley(String... args) {
    var err = new StringWriter();
    var context =
        new Context(new PrintWriter(new StringWriter(), true), new PrintWriter(err, true), new Cancellation());
    int code = Main.commandLine(context).execute(args);
    assertThat(code).as(err.toString()).isZero();
    return code;
  }

  private static String[] generate(Path store) {
    return Stream.of(new String[] {"generate", "--out", store.toString()}, PLAN)
        .flatMap(Stream::of)
        .toArray(String[]::new);
  }

  private static String[] train(Path training, String... more) {
    String data = whole.resolve("base/images").toString();
    return Stream.of(new String[] {"train", "--data", data, "--out", training.toString()}, RECIPE, more)
        .flatMap(Stream::of)
        .toArray(String[]::new);
  }

  private static String[] run(Path out) {
    return new String[] {"run", config.toString(), "--out", out.toString()};
  }

  private static void sameImages(Path store) {
    assertThat(store.resolve("000000.tar")).hasSameBinaryContentAs(whole.resolve("base/images/000000.tar"));
  }

  private static void sameModel(Path training) {
    assertThat(training.resolve("model.safetensors"))
        .hasSameBinaryContentAs(whole.resolve("base/resnet50/seed-0/model.safetensors"));
    assertThat(training.resolve("checkpoint.safetensors")).doesNotExist();
  }

  /** Nothing under a temporary name, nothing half-written under its own. */
  private static void holdsOnly(Path of, String... names) throws IOException {
    try (Stream<Path> files = Files.list(of)) {
      assertThat(files.map(f -> f.getFileName().toString()).toList()).isSubsetOf(names);
    }
  }

  private static void stopped(MotleyProcess process) throws IOException, InterruptedException {
    assertThat(process.interrupt()).as(process.said()).isEqualTo(Exit.CANCELLED.code());
    assertThat(process.complaints()).hasSize(2);
    assertThat(process.complaints().getFirst()).contains("stopping at the next step");
    assertThat(process.complaints().getLast()).contains(GO_ON);
  }

  private static void full(MotleyProcess process, String... words) throws IOException, InterruptedException {
    assertThat(process.exitCode()).as(process.said()).isEqualTo(Exit.ENVIRONMENT.code());
    assertThat(process.complaints()).hasSize(1);
    assertThat(process.complaints().getFirst()).contains(words);
    assertThat(process.said()).doesNotContain("\tat ");
  }

  @Test
  void aGenerationThatWasStoppedGoesOn() throws IOException, InterruptedException {
    Path store = folder.resolve("store");
    stopped(MotleyProcess.start(folder, generate(store)).untilLines(store.resolve("journal"), 1));
    motley(generate(store));
    sameImages(store);
  }

  @Test
  void aTrainingThatWasStoppedAndKilledGoesOn() throws IOException, InterruptedException {
    Path training = folder.resolve("training");
    Path metrics = training.resolve("metrics.jsonl");
    stopped(MotleyProcess.start(folder, train(training)).untilLines(metrics, 1));
    assertThat(training.resolve("checkpoint.safetensors")).exists();
    int epochs = (int) Files.readString(metrics).lines().count();
    assertThat(epochs + 1).as("an epoch that others follow").isLessThan(EPOCHS);
    MotleyProcess.start(folder, train(training, "--checkpoint-seconds", "0")).untilLines(metrics, epochs + 1).kill();
    motley(train(training));
    sameModel(training);
  }

  @Test
  void aRunThatWasStoppedAndKilledGoesOn() throws IOException, InterruptedException {
    Path out = folder.resolve("run");
    stopped(MotleyProcess.start(folder, run(out)).untilLines(out.resolve("base/images/journal"), 1));
    MotleyProcess.start(folder, run(out)).untilLines(out.resolve("base/resnet50/seed-0/metrics.jsonl"), 1).kill();
    motley(run(out));
    sameImages(out.resolve("base/images"));
    sameModel(out.resolve("base/resnet50/seed-0"));
    assertThat(out.resolve("base/resnet50/seed-0/evaluation.json")).hasSameBinaryContentAs(whole.resolve("base/resnet50/seed-0/evaluation.json"));
    assertThat(out.resolve("report.html")).exists();
  }

  @Test
  void aSecondProcessOnTheSameFolderIsRefused() throws IOException, InterruptedException {
    Path taken = Files.createDirectory(folder.resolve("taken"));
    try (FolderLock _ = FolderLock.take(taken)) {
      for (String[] command : List.of(train(taken), run(taken))) {
        MotleyProcess second = MotleyProcess.start(folder, command);
        assertThat(second.exitCode()).as(second.said()).isEqualTo(Exit.USAGE.code());
        assertThat(second.complaints())
            .containsExactly("motley: folder " + taken + " is being written by another process; wait for it or stop it");
        holdsOnly(taken, "lock");
      }
    }
  }

  @Test
  void aGenerationOnAFullDiskGoesOn() throws IOException, InterruptedException {
    Path store = folder.resolve("store");
    full(
        MotleyProcess.withFilesUpTo(32, folder, generate(store)),
        "cannot write to " + store + ": file too large",
        "images are safe, and the same command goes on from there");
    holdsOnly(store, "dataset.json", "journal", "000000.tar.part", "lock");
    motley(generate(store));
    sameImages(store);
  }

  @Test
  void aGenerationOnADiskThatIsReallyFullGoesOn() throws IOException, InterruptedException {
    Path disk = Files.createDirectory(folder.resolve("disk"));
    assumeTrue(MotleyProcess.canMount(disk), "this user may not mount a tmpfs in a namespace of its own");
    Path copy = folder.resolve("copy");
    full(
        MotleyProcess.onDiskOf(48, disk, copy, generate(disk.resolve("store"))),
        "no space left on device",
        "images are safe, and the same command goes on from there");
    motley(generate(copy.resolve("store")));
    sameImages(copy.resolve("store"));
  }

  @Test
  void aTrainingOnAFullDiskGoesOn() throws IOException, InterruptedException {
    Path training = folder.resolve("training");
    full(
        MotleyProcess.withFilesUpTo(1024, folder, train(training, "--checkpoint-seconds", "0")),
        "cannot write " + training.resolve("checkpoint.safetensors") + ": file too large");
    holdsOnly(training, "recipe.yaml", "metrics.jsonl", "lock");
    motley(train(training));
    sameModel(training);
  }

  @Test
  void aTrainingThatTheDiskCannotTakeDoesNotBegin() throws IOException, InterruptedException {
    Path disk = Files.createDirectory(folder.resolve("disk"));
    assumeTrue(MotleyProcess.canMount(disk), "this user may not mount a tmpfs in a namespace of its own");
    Path copy = folder.resolve("copy");
    Path training = disk.resolve("training");
    full(
        MotleyProcess.onDiskOf(200_000, disk, copy, train(training)),
        "too little space on the disk of " + training + ": 204 MB are free, the training's checkpoints need 566 MB");
    holdsOnly(copy.resolve("training"), "lock");
    motley(train(copy.resolve("training")));
    sameModel(copy.resolve("training"));
  }

  @Test
  void aReportOnAFullDiskIsWrittenByTheNextRun() throws IOException, InterruptedException {
    Path report = whole.resolve("report.html");
    Files.delete(report);
    full(MotleyProcess.withFilesUpTo(16, folder, run(whole)), "cannot write " + report + ": file too large");
    holdsOnly(whole, "config.yaml", "base", "lock");
    motley(run(whole));
    assertThat(report).exists();
  }
}
