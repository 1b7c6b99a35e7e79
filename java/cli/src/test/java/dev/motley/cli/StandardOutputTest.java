// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class StandardOutputTest {
  @TempDir private Path folder;

  @Test
  @EnabledOnOs(OS.LINUX)
  void aResultThatCannotBeWrittenIsOneLineAndTheEnvironmentsCode() throws IOException, InterruptedException {
    String[][] commands = {{"plan", "--classes", "fashion-mnist"}, {"plan", "--classes", "fashion-mnist", "--json"}, {"--help"}};
    for (String[] command : commands) {
      MotleyProcess process = MotleyProcess.withOutput("> /dev/full", folder, command);
      assertThat(process.exitCode()).as(process.said()).isEqualTo(Exit.ENVIRONMENT.code());
      assertThat(process.said().lines())
          .containsExactly("motley: cannot write to the standard output: no space left on device");
    }
  }

  @Test
  void aReaderThatLeavesHearsNothingMore() throws IOException, InterruptedException {
    MotleyProcess process =
        MotleyProcess.withOutput("| head -n 1", folder, "plan", "--classes", "fashion-mnist", "--list", "50000");
    assertThat(process.exitCode()).as(process.said()).isEqualTo(Exit.READER_LEFT.code());
    assertThat(process.said()).isEmpty();
  }

  @Test
  void aWarningOfTheLibraryIsOneLineThatLooksLikeOurs() throws IOException, InterruptedException {
    String picture = folder.resolve("a.png").toString();
    MotleyProcess process =
        MotleyProcess.start(folder, "sample", "--prompt", "a dress ".repeat(100), "--steps", "1", "--out", picture);
    assertThat(process.exitCode()).as(process.said()).isZero();
    assertThat(process.complaints()).hasSize(1);
    assertThat(process.complaints().getFirst())
        .startsWith("motley: prompt \"a dress a dress a dress a dress a dress  ...\" has 202 tokens, with start and end, the model takes 77; cut off: \"")
        .endsWith(" ...\"")
        .hasSizeLessThan(450);
  }

  @Test
  void aFailureOfTheCommandItselfKeepsItsCode() throws IOException, InterruptedException {
    MotleyProcess process = MotleyProcess.withOutput("> /dev/full", folder, "plan", "--classes", "cifar11");
    assertThat(process.exitCode()).isEqualTo(Exit.USAGE.code());
    assertThat(process.complaints()).hasSize(1);
  }

  @Test
  void whatFollowsAFailureIsDropped() {
    var written = new StringBuilder();
    var stream =
        new StandardOutput(
            new OutputStream() {
              @Override
              public void write(int b) throws IOException {
                if (b == '!') {
                  throw new IOException("No space left on device");
                }
                written.append((char) b);
              }
            });
    var out = new PrintWriter(stream, true, StandardCharsets.UTF_8);
    out.println("one");
    assertThat(stream.failure()).isEmpty();
    out.println("!");
    out.println("two");
    assertThat(stream.failure()).get().extracting(IOException::getMessage).isEqualTo("No space left on device");
    assertThat(written.toString()).isEqualTo("one" + System.lineSeparator());
  }
}
