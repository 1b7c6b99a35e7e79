// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks;

import dev.motley.ffi.NativeRuntime;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The most memory that was resident in the steps of {@link TrainingBenchmark}, of the whole process. Counting begins when both sides hold
 * no more than what they train with, and the garbage of the setup has been given back.
 *
 * <pre>
 * benchmarks/run memory resnet50    # both sides, and their ratio
 * </pre>
 */
public final class TrainingMemory {

  private static final int STEPS = 3;

  private TrainingMemory() {}

  /**
   * Prints MiB.
   *
   * @param args {@code motley} or {@code eager}, and an architecture
   * @throws IOException if /proc cannot be read or written
   */
  public static void main(String[] args) throws IOException {
    boolean ours = args[0].equals("motley");
    var batch = new Workloads.Batch();
    var benchmark = new TrainingBenchmark();
    if (ours) {
      var state = new TrainingBenchmark.Ours();
      state.architecture = args[1];
      state.load();
      peak(() -> benchmark.motley(state, batch));
      state.close();
    } else {
      var state = new TrainingBenchmark.Theirs();
      state.architecture = args[1];
      state.format = "faster";
      state.load();
      peak(() -> benchmark.eager(state, batch));
      state.close();
    }
  }

  private static void peak(Runnable step) throws IOException {
    System.gc();
    NativeRuntime.trim(); // of what drew the weights
    Files.writeString(Path.of("/proc/self/clear_refs"), "5"); // begins the high-water mark anew
    for (int i = 0; i < STEPS; i++) {
      step.run();
    }
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmHWM:")) {
        System.out.println(Long.parseLong(line.replaceAll("\\D", "")) >> 10);
      }
    }
  }
}
