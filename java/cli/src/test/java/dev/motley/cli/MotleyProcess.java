// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.motley.testing.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The command line as a process of its own, which signals and a full disk can hit. */
final class MotleyProcess {
  private static final long LONGEST_SECONDS = 180;
  private static final long POLL_MILLIS = 2;

  private final Process process;
  private final Path err;

  private MotleyProcess(Process process, Path err) {
    this.process = process;
    this.err = err;
  }

  /** Starts a command; what it says goes to a file in {@code folder}. */
  static MotleyProcess start(Path folder, String... args) throws IOException {
    // A build in the background of a shell ignores SIGINT, and its children would inherit that.
    return launch(folder, List.of("env", "--default-signal=INT"), args);
  }

  /** Runs a command in a shell whose files may not grow beyond a limit. */
  static MotleyProcess withFilesUpTo(long kibibytes, Path folder, String... args) throws IOException {
    return launch(folder, List.of("bash", "-c", "ulimit -f " + kibibytes + " && exec \"$@\"", "bash"), args);
  }

  /** Runs a command in a shell that sends its standard output elsewhere, such as {@code > /dev/full}; ends with its code. */
  static MotleyProcess withOutput(String redirection, Path folder, String... args) throws IOException {
    return launch(folder, List.of("bash", "-c", "\"$@\" " + redirection + "; exit ${PIPESTATUS[0]}", "bash"), args);
  }

  /**
   * Runs a command with {@code disk} on a disk of its own of that size, which is copied to {@code copy} at the end.
   *
   * @see #canMount
   */
  static MotleyProcess onDiskOf(long kibibytes, Path disk, Path copy, String... args) throws IOException {
    String script =
        "mount -t tmpfs -o size=%dk none '%s' && { \"$@\"; code=$?; cp -r '%s' '%s'; exit $code; }"
            .formatted(kibibytes, disk, disk, copy);
    return launch(disk.getParent(), List.of("unshare", "-rm", "bash", "-c", script, "bash"), args);
  }

  /** Whether this user may mount a disk in a namespace of a child's own. */
  static boolean canMount(Path folder) throws IOException, InterruptedException {
    Process trial =
        new ProcessBuilder("bash", "-c", "unshare -rm mount -t tmpfs none '" + folder + "'")
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    return trial.waitFor() == 0;
  }

  private static MotleyProcess launch(Path folder, List<String> prefix, String... args) throws IOException {
    var command = new ArrayList<>(prefix);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    command.add("-Dmotley.home=" + Shared.repository());
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    command.addAll(List.of(args));
    Path err = Files.createTempFile(folder, "err", ".txt");
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(err.toFile())
            .start();
    process.getOutputStream().close();
    return new MotleyProcess(process, err);
  }

  /** Waits until a file has so many lines; the process must still be at work then. */
  MotleyProcess untilLines(Path file, int lines) throws IOException, InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LONGEST_SECONDS);
    while (!Files.exists(file) || (lines > 0 && Files.readString(file).lines().count() < lines)) {
      assertThat(process.isAlive()).as("alive before %s has %d lines; it said: %s", file, lines, said()).isTrue();
      assertThat(System.nanoTime()).as("waiting for %s", file).isLessThan(deadline);
      Thread.sleep(POLL_MILLIS);
    }
    return this;
  }

  /** Waits until there is a file; the process must still be at work then. */
  MotleyProcess untilExists(Path file) throws IOException, InterruptedException {
    return untilLines(file, 0);
  }

  /** Presses Ctrl-C and waits for the end. */
  int interrupt() throws IOException, InterruptedException {
    Process kill = new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start();
    assertThat(kill.waitFor()).isZero();
    return exitCode();
  }

  /** Ends it at once, as {@code kill -9} does. */
  void kill() throws InterruptedException, IOException {
    process.destroyForcibly();
    assertThat(exitCode()).isEqualTo(128 + 9);
  }

  int exitCode() throws InterruptedException, IOException {
    assertThat(process.waitFor(LONGEST_SECONDS, TimeUnit.SECONDS)).as("ended; it said: %s", said()).isTrue();
    return process.exitValue();
  }

  /** Everything on its standard error stream. */
  String said() throws IOException {
    return Files.readString(err);
  }

  /** The lines that tell the user what went wrong. */
  List<String> complaints() throws IOException {
    return said().lines().filter(line -> line.startsWith("motley: ")).toList();
  }
}
