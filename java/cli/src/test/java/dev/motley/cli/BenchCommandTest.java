// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.motley.ffi.NativePeaks;
import dev.motley.ffi.NativeProfile;
import dev.motley.ffi.NativeProfile.Layer;
import dev.motley.ffi.NativeRuntime;
import dev.motley.testing.Shared;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchCommandTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private final Cancellation cancellation = new Cancellation();
  private int threads;

  @TempDir private Path folder;

  @BeforeAll
  static void findTheModels() {
    System.setProperty("motley.home", Shared.repository().toString());
  }

  @BeforeEach
  void rememberThreads() {
    threads = NativeRuntime.info().threads();
  }

  @AfterEach
  void restoreThreads() {
    NativeRuntime.useThreads(threads);
  }

  private int motley(String... args) {
    var context = new Context(new PrintWriter(out, true), new PrintWriter(err, true), cancellation);
    return Main.commandLine(context).execute(args);
  }

  private String line(String name) {
    return out.toString().lines().filter(line -> line.startsWith(name + " ")).findFirst().orElseThrow();
  }

  @Test
  void printsSpeedAndMemory() {
    assertThat(motley("bench", "--batch", "2", "--steps", "2", "--repeat", "2", "--size", "32x16", "--threads", "1")).isZero();
    assertThat(line("machine")).contains(NativeRuntime.info().cpu()).endsWith("1 thread");
    assertThat(line("model")).endsWith("fp32");
    assertThat(line("batch")).contains("2 of 32x16 pixels, 2 steps, guidance 7.5");
    assertThat(line("loading")).matches("loading +\\d+\\.\\d\\d s");
    assertThat(line("guidance step")).matches("guidance step +\\S+ s of the batch \\(median of 2; the fastest \\S+ s\\)");
    assertThat(line("sampling")).matches("sampling +\\S+ images/s at 2 steps");
    assertThat(line("decoding")).matches("decoding +\\S+ images/s");
    assertThat(line("peak memory")).matches("peak memory +\\d+\\.\\d\\d GiB resident|.*unknown.*");
    assertThat(out.toString()).doesNotContain("roofline");
    assertThat(err.toString()).as("progress").doesNotContain("images/s at").contains("bench");
  }

  @Test
  void profileTellsEachKindOfLayer() throws IOException {
    Path json = folder.resolve("bench.json");
    assertThat(motley("bench", "--batch", "2", "--steps", "2", "--repeat", "1", "--precision", "bf16", "--profile", "--json", json.toString()))
        .isZero();
    assertThat(line("peaks")).contains("GFLOP/s", "GB/s copied");
    assertThat(out.toString()).containsPattern("(?m)^conv2d +3x3 64->64 @8x8 +\\d+ ").containsPattern("(?m)^self attention +\\d+x\\d+ @64 ");
    assertThat(line("sampling, 2 steps:")).contains("in ops", "outside of them");
    assertThat(line("all ops")).contains("100.0 %");
    JsonNode tree = new ObjectMapper().readTree(Files.readString(json));
    assertThat(tree.path("precision").asText()).isEqualTo("bf16");
    assertThat(tree.path("samplingSeconds")).hasSize(1);
    assertThat(tree.path("peaks").path("multiplyAdd").asDouble()).isPositive();
    assertThat(tree.path("samplingProfile").path("ops")).isNotEmpty();
    double ops = 0;
    for (JsonNode op : tree.path("samplingProfile").path("ops")) {
      int steps = op.path("op").asText().equals("conv2d") ? 2 : 1; // of which each calls it; what only depends on time steps is called once
      assertThat(op.path("calls").asInt()).as("%s", op).isPositive().satisfies(calls -> assertThat(calls % steps).isZero());
      ops += op.path("seconds").asDouble();
    }
    double whole = tree.path("samplingProfile").path("seconds").asDouble();
    assertThat(ops).as("all but what is outside of ops").isPositive().isLessThan(whole); // how much less, the machine decides
  }

  @Test
  void badInputIsOneLine() {
    String[][] wrong = {
      {"--size", "32", "width x height"},
      {"--size", "0x32", "width x height"},
      {"--size", "30x32", "multiples of 4"},
      {"--steps", "5000", "--steps must be from 1 to 999"},
      {"--precision", "fp8", "unknown precision 'fp8'"},
      {"--json", folder.toString(), "is a folder"},
      {"--repeat", "0", "--repeat"},
      {"--threads", "none", "--threads"},
      {"--model", folder.toString(), "model_index.json"},
    };
    for (String[] w : wrong) {
      err.getBuffer().setLength(0);
      assertThat(motley("bench", w[0], w[1])).as(w[1]).isEqualTo(Exit.USAGE.code());
      assertThat(err.toString().lines().filter(line -> line.startsWith("motley: "))).hasSize(1).first().asString().contains(w[2]);
    }
    assertThat(out.toString()).isEmpty();
  }

  @Test
  void stopsWhileLoading() {
    cancellation.request();
    assertThat(motley("bench", "--batch", "1", "--steps", "50")).isEqualTo(Exit.CANCELLED.code());
    assertThat(out.toString()).isEmpty();
    assertThat(err.toString()).contains("stopped while loading " + Home.model());
  }

  @Test
  void threadsAreThoseOfAnyCommand() {
    assertThat(motley("info", "--threads", "3")).isZero();
    assertThat(line("threads")).endsWith(" 3");
    assertThat(motley("--threads", "2", "info")).isZero();
    assertThat(NativeRuntime.info().threads()).isEqualTo(2);
  }

  @Test
  void rooflineIsTheSlowerOfTwo() {
    var compute = new Layer("conv2d", "a", 1, 2, 100, 10);
    var memory = new Layer("conv2d", "b", 1, 4, 10, 100);
    var table =
        new ProfileTable(new NativePeaks(100, 90, 50), new NativeProfile(7, List.of(memory, compute, new Layer("geglu", "c", 2, 5, 0, 0))));
    assertThat(table.roofline(compute)).isEqualTo(0.5);
    assertThat(table.roofline(memory)).isEqualTo(0.5);
    assertThat(table.roofline(List.of(compute, memory))).isCloseTo(0.5, within(1e-12));
    assertThat(table.groups())
        .containsExactly(new Layer("conv2d", "", 2, 6, 110, 110), new Layer("geglu", "", 2, 5, 0, 0));
  }

  @Test
  void medianOfEvenNumbersIsBetweenThem() {
    assertThat(BenchReport.median(List.of(3.0, 1.0, 2.0))).isEqualTo(2);
    assertThat(BenchReport.median(List.of(4.0, 1.0, 2.0, 3.0))).isEqualTo(2.5);
  }

  @Test
  void peakMemoryIsTheHighWaterMark() {
    assertThat(PeakMemory.in("Name:\tjava\nVmPeak:\t  9 kB\nVmHWM:\t    12 kB\nVmRSS:\t 3 kB\n")).hasValue(12 * 1024);
    assertThat(PeakMemory.in("Name:\tjava\n")).isEmpty();
  }
}
