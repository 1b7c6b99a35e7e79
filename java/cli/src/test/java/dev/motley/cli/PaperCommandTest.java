// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.motley.image.Png;
import dev.motley.testing.RandomPicture;
import dev.motley.testing.Shared;
import dev.motley.tricks.ClassList;
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

class PaperCommandTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @TempDir private Path folder;

  @BeforeAll
  static void findTheModels() {
    System.setProperty("motley.home", Shared.repository().toString());
  }

  private int motley(String... args) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    var context = new Context(new PrintWriter(out, true), new PrintWriter(err, true), new Cancellation());
    return Main.commandLine(context).execute(args);
  }

  private void refused(String line, String... args) {
    assertThat(motley(args)).isEqualTo(Exit.USAGE.code());
    assertThat(err.toString()).contains(line);
    assertThat(
            err.toString()
                .lines()
                .filter(l -> l.startsWith("motley: ") && !l.contains("this version does not have") && !l.contains("warning")))
        .hasSize(1);
  }

  /** 508,000 images is the paper's own number: four sets of 50,000 twice, and 108,000 of EuroSAT. */
  @Test
  void whatWouldBeDoneIsPrinted() {
    assertThat(motley("paper", "--print", "--size", "512", "--architectures", "resnet50,resnet101", "--seeds", "3")).as(err.toString()).isZero();
    assertThat(out.toString())
        .contains("cifar100: drawn at 512x512 with 40 steps, learned from at 32x32, 200 epochs")
        .contains("eurosat: drawn at 512x512 with 40 steps, learned from at 64x64, 200 epochs")
        .containsPattern("Base class +bilinear +50,000 +50,000  resnet50, resnet101 x 3 seeds\n")
        .containsPattern("Base class, anti-aliased +bilinear_aa +50,000 +0  resnet50 x 3 seeds\n")
        .containsPattern("All combined +bilinear_aa +200,000 +0  resnet50, resnet101 x 3 seeds\n")
        .containsPattern("All combined +bilinear_aa +150,000 +0  resnet50, resnet101 x 3 seeds\n")
        .containsPattern("All combined, equal budget +bilinear_aa +50,000 +0  resnet50 x 3 seeds\n")
        .containsPattern("Random guidance, doubled +bilinear +54,000 +54,000  resnet50, resnet101 x 3 seeds\n")
        .containsPattern("Random guidance +bilinear +27,000 +0  resnet50 x 3 seeds\n")
        .contains("in all: 508,000 images to draw, 81 trainings that see ");
    assertThat(motley("paper", "--print", "--per-class", "0.01", "--datasets", "eurosat", "--architectures", "resnet50")).isZero();
    assertThat(out.toString()).containsPattern("Base class +none +270 +270").contains("in all: 1,080 images to draw");
  }

  @Test
  void whatCannotBeIsOneLineBeforeAnythingIsWritten() {
    String store = folder.resolve("paper").toString();
    refused("unknown class preset 'cifar11'; did you mean", "paper", "--datasets", "cifar11", "--out", store);
    refused("no real images to test 'cifar10' on: give --real cifar10=DIR", "paper", "--per-class", "4", "--out", store);
    refused("real images are given for 'eurosat', which is not among", "paper", "--datasets", "cifar10", "--real", "eurosat=x", "--out", store);
    refused("found '0'", "paper", "--per-class", "0", "--out", store);
    refused("unknown architecture 'resnet5'", "paper", "--architectures", "resnet5", "--out", store);
    refused("unknown preset 'papr'", "paper", "--preset", "papr", "--out", store);
    assertThat(Path.of(store)).doesNotExist();
  }

  /** The paper's sets and both its tables, from real drawings and trainings: of names that the embedded model never learnt. */
  @Test
  void theTablesComeFromRealRuns() throws IOException {
    Path real = folder.resolve("real");
    for (String label : ClassList.preset("cifar10").labels()) {
      Files.write(Files.createDirectories(real.resolve(label)).resolve("0.png"), Png.encode(RandomPicture.of(16, 16), Map.of()));
    }
    Path paper = folder.resolve("paper");
    String[] command = {
      "paper", "--datasets", "cifar10", "--real", "cifar10=" + real, "--per-class", "4", "--stored-size", "16", "--steps", "1",
      "--epochs", "1", "--architectures", "resnet50", "--out", paper.toString()
    };
    assertThat(motley(command)).as(err.toString()).isZero();
    String tables = out.toString();
    for (String row : List.of("Base class", "Class prompt", "Multi-domain", "Random guidance", "All combined", "Base class, anti-aliased rescale")) {
      assertThat(tables).containsPattern("\\| " + row + " \\| [0-9.]+, n 1; [^|]*; paper [0-9.]+ \\| not run; paper");
    }
    assertThat(tables)
        .containsPattern("\\| All combined, as many images as the base class \\| [0-9.]+, n 1; [+-][0-9.]+ \\| – \\| – \\|")
        .containsPattern("\\| All combined \\| [0-9.]+, n 1; no base of 160 images, bilinear_aa; paper 81.00 \\|")
        .containsPattern("\\| resnet50 \\| [0-9.]+, n 1; base; paper 60.50 \\| [0-9.]+, n 1; no base of")
        .contains("| convnext_small | not run; paper 49.15 | not run; paper 80.10 |");
    try (Stream<Path> files = Files.walk(paper)) {
      assertThat(files.filter(file -> file.endsWith("dataset.json")).map(file -> paper.relativize(file).toString()))
          .as("each image is drawn once")
          .containsExactlyInAnyOrder(
              Stream.of("base-class", "base-class-anti-aliased", "class-prompt", "multi-domain", "random-guidance")
                  .map(set -> "cifar10/" + set + "/images/dataset.json")
                  .toArray(String[]::new));
    }
    assertThat(paper.resolve("tables.csv")).content().contains("table-3,resnet50,\"CIFAR-10, best tricks\",batch statistics,run,160,1,");
    assertThat(motley("tables", paper.toString())).isZero();
    assertThat(tables).startsWith(out.toString());
    command[Stream.of(command).toList().indexOf("--epochs") + 1] = "2";
    String config = Files.readString(paper.resolve("cifar10/config.yaml"));
    refused("cifar10/base-class/resnet50/seed-0 was trained by another recipe", command);
    assertThat(paper.resolve("cifar10/config.yaml")).hasContent(config);
  }
}
