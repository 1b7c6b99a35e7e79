// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.motley.testing.CheckedModel;
import dev.motley.testing.Shared;
import dev.motley.testing.SmallVision;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code --safety}, on a model whose checker flags everything. */
class SafetyCommandTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @TempDir private static Path folder;
  private static Path model;

  @BeforeAll
  static void makeTheModel() {
    System.setProperty("motley.home", Shared.repository().toString());
    float[] concept = new float[32];
    concept[0] = 1;
    model = CheckedModel.write(folder.resolve("model"), SmallVision.tensors(), concept, -2);
  }

  private int motley(Object... args) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    var context = new Context(new PrintWriter(out, true), new PrintWriter(err, true), new Cancellation());
    String[] texts = List.of(args).stream().map(Object::toString).toArray(String[]::new);
    return Main.commandLine(context).execute(texts);
  }

  private int generate(String policy, Path store) {
    return motley("generate", "--model", model, "--safety", policy, "--per-class", 1, "--steps", 2, "--out", store);
  }

  @Test
  void whatWasFlaggedIsSaidAndVerified() {
    Path store = folder.resolve("flagged");
    assertThat(generate("flag", store)).isZero();
    String counts = "safety checker (flag): 10 pictures checked, 10 flagged: 10 kept, 0 dropped, 0 drawn again";
    assertThat(out.toString()).contains("10 images in " + store).contains(counts).contains("  dress: 1 pictures checked");
    assertThat(motley("verify", store)).isZero();
    assertThat(out.toString()).contains("10 of 10 images, ").contains("sound and complete").contains(counts);
  }

  @Test
  void whatWasLeftOutIsNotMissing() {
    Path store = folder.resolve("dropped");
    assertThat(generate("drop", store)).isZero();
    assertThat(out.toString()).contains("0 images in " + store).contains("10 flagged: 0 kept, 10 dropped, 0 drawn again");
    assertThat(motley("verify", store)).isZero();
    assertThat(out.toString()).contains("0 of 10 images and 10 left out, ").contains("sound and complete");
    assertThat(motley("train", "--data", store, "--out", folder.resolve("trained"))).isEqualTo(Exit.USAGE.code());
    assertThat(err.toString().lines()).hasSize(1);
    assertThat(err.toString()).contains("has no images: the safety checker had all 10 left out");
  }

  @Test
  void redoingEndsInOneLine() {
    assertThat(generate("redo", folder.resolve("redone"))).isEqualTo(Exit.FAILURE.code());
    assertThat(err.toString()).contains("came out flagged with 16 seeds in a row");
  }

  @Test
  void aModelWithoutACheckerAndAnUnknownPolicyAreRefused() {
    Path store = folder.resolve("none");
    assertThat(motley("generate", "--safety", "drop", "--per-class", 1, "--out", store)).isEqualTo(Exit.USAGE.code());
    assertThat(err.toString().lines()).hasSize(1);
    assertThat(err.toString()).contains("has no safety checker");
    assertThat(generate("blacken", store)).isEqualTo(Exit.USAGE.code());
    assertThat(err.toString()).contains("unknown safety policy 'blacken' (known: off, flag, drop, redo)");
    assertThat(store).doesNotExist();
  }
}
