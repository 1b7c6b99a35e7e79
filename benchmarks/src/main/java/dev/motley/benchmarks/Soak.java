// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks;

import dev.motley.Precision;
import dev.motley.ProgressListener;
import dev.motley.diffusion.DiffusionPipeline;
import dev.motley.diffusion.SamplingOptions;
import dev.motley.ffi.NativeRuntime;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Draws many images and watches memory: resident set, live and pooled native bytes after every
 * batch. Fails when the second half of the run is above the warm-up's end by more than the
 * allowance.
 *
 * <pre>
 * benchmarks/run soak            # 2,000 images
 * benchmarks/run soak 500 10     # fewer, of 10 steps each
 * </pre>
 */
public final class Soak {

  private static final int IMAGES = 2_000;

  /** Share of the run that may still grow: heap and pools find their size. */
  private static final double WARM_UP = 0.25;

  /** Growth of the resident set that is still flat: the JVM's own comings and goings. */
  private static final long ALLOWANCE = 24L << 20;

  /**
   * Memory after a batch, in bytes.
   *
   * @param images drawn so far
   * @param resident set of the process
   * @param live native tensors
   * @param pooled freed native memory kept for the next tensors
   */
  record Sample(int images, long resident, long live, long pooled) {}

  private Soak() {}

  /**
   * Runs.
   *
   * @param args the number of images, default 2,000, and of steps, default 40
   * @throws IOException if /proc cannot be read
   */
  public static void main(String[] args) throws IOException {
    int images = args.length > 0 ? Integer.parseInt(args[0]) : IMAGES;
    int steps = args.length > 1 ? Integer.parseInt(args[1]) : Workloads.STEPS;
    List<Sample> samples = new ArrayList<>();
    SamplingOptions options =
        new SamplingOptions(Workloads.IMAGE_SIZE, Workloads.IMAGE_SIZE, steps, false);
    float[] guidance = Workloads.guidance("random", Workloads.IMAGES);
    System.out.println("images resident_mib live_mib pooled_mib");
    try (DiffusionPipeline pipeline =
        DiffusionPipeline.load(Workloads.model(), Precision.FP32)) {
      for (int done = 0; done < images; ) {
        pipeline.draw(Workloads.requests(guidance, done), options, ProgressListener.NONE);
        done += Workloads.IMAGES;
        samples.add(
            new Sample(
                done,
                resident(),
                NativeRuntime.liveBytes(),
                NativeRuntime.pooledBytes()));
        print(samples.getLast());
      }
    }
    long left = NativeRuntime.liveBytes();
    List<String> faults = faults(samples, left);
    faults.forEach(System.err::println);
    System.out.println(faults.isEmpty() ? "flat" : "not flat");
    System.exit(faults.isEmpty() ? 0 : 1);
  }

  static List<String> faults(List<Sample> samples, long leftAfterClose) {
    List<String> faults = new ArrayList<>();
    Sample warm = samples.get((int) (WARM_UP * (samples.size() - 1)));
    for (Sample sample : samples.subList(samples.size() / 2, samples.size())) {
      if (sample.resident() - warm.resident() > ALLOWANCE) {
        faults.add(growth("resident set", sample.images(), warm.resident(), sample.resident()));
        break;
      }
    }
    Sample last = samples.getLast();
    if (last.live() > warm.live()) {
      faults.add(growth("live native bytes", last.images(), warm.live(), last.live()));
    }
    if (last.pooled() > warm.pooled()) {
      faults.add(growth("pooled native bytes", last.images(), warm.pooled(), last.pooled()));
    }
    if (leftAfterClose != 0) {
      faults.add(leftAfterClose + " native bytes are left after the pipeline was closed");
    }
    return faults;
  }

  private static String growth(String what, int images, long from, long to) {
    return String.format(
        Locale.ROOT, "%s grew from %,d to %,d bytes by image %,d", what, from, to, images);
  }

  private static void print(Sample sample) {
    System.out.printf(
        Locale.ROOT,
        "%6d %8.1f %8.1f %8.1f%n",
        sample.images(),
        sample.resident() / 0x1p20,
        sample.live() / 0x1p20,
        sample.pooled() / 0x1p20);
  }

  private static long resident() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmRSS:")) {
        return Long.parseLong(line.replaceAll("\\D", "")) << 10;
      }
    }
    throw new IOException("/proc/self/status has no VmRSS");
  }
}
