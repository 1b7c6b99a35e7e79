// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks;

import com.sun.management.ThreadMXBean;
import dev.motley.Precision;
import dev.motley.Progress;
import dev.motley.ProgressListener;
import dev.motley.diffusion.DiffusionPipeline;
import dev.motley.diffusion.SamplingOptions;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;

/**
 * Java's share of denoising: of the time of whole {@code denoise} calls, what is spent outside the
 * native core, progress listener included; and the bytes a further step allocates on the Java heap,
 * as the difference between calls of many steps and of few. Fails above 0.1 % or at one object per
 * step.
 *
 * <pre>
 * benchmarks/run java-share
 * </pre>
 */
public final class JavaShare {

  private static final double LIMIT = 1e-3;
  private static final int FEW = 10;
  private static final int CALLS = 2;

  /** Until the code around the native call is compiled: interpreted, it takes ten times as long. */
  private static final int WARM_UP = 300;

  /** The smallest Java object. */
  private static final double OBJECT_BYTES = 16;

  private static final ThreadMXBean THREADS =
      (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** A listener that is timed as part of Java, though native code calls it. */
  private static final class TimedListener implements ProgressListener {
    private long nanos;

    @Override
    public boolean onProgress(Progress progress) {
      long start = System.nanoTime();
      boolean goOn = progress.done() <= progress.total();
      nanos += System.nanoTime() - start;
      return goOn;
    }
  }

  private JavaShare() {}

  /**
   * Measures.
   *
   * @param args none
   * @throws IOException if the recording cannot be written
   */
  public static void main(String[] args) throws IOException {
    float[] guidance = Workloads.guidance("7.5", Workloads.IMAGES);
    try (DiffusionPipeline pipeline =
        DiffusionPipeline.load(Workloads.model(), Precision.FP32)) {
      for (int i = 0; i < WARM_UP; i++) {
        denoise(pipeline, Arrays.copyOf(guidance, 2), 1, new TimedListener());
      }
      denoise(pipeline, guidance, 1, ProgressListener.NONE);
      double share = share(pipeline, guidance);
      double bytes = bytesPerStep(pipeline, guidance);
      if (share > LIMIT || bytes >= OBJECT_BYTES) {
        System.err.printf(
            Locale.ROOT, "above the limits: %.1f %% and %.0f bytes%n", 100 * LIMIT, OBJECT_BYTES);
        System.exit(1);
      }
    }
  }

  private static void denoise(
      DiffusionPipeline pipeline, float[] guidance, int steps, ProgressListener listener) {
    pipeline.denoise(
        Workloads.requests(guidance, 1),
        new SamplingOptions(Workloads.IMAGE_SIZE, Workloads.IMAGE_SIZE, steps, false),
        listener);
  }

  private static double share(DiffusionPipeline pipeline, float[] guidance) throws IOException {
    TimedListener listener = new TimedListener();
    long whole = 0;
    Duration inside = Duration.ZERO;
    Path file = Files.createTempFile("motley", ".jfr");
    try (Recording recording = new Recording()) {
      recording.enable("dev.motley.NativeCall").withoutThreshold().withoutStackTrace();
      recording.start();
      for (int i = 0; i < CALLS; i++) {
        long start = System.nanoTime();
        denoise(pipeline, guidance, Workloads.STEPS, listener);
        whole += System.nanoTime() - start;
      }
      recording.stop();
      recording.dump(file);
      for (RecordedEvent event : events(file)) {
        inside = inside.plus(event.getDuration());
      }
    } finally {
      Files.delete(file);
    }
    if (inside.isZero()) {
      throw new IllegalStateException("no native call was recorded");
    }
    double share = (double) (whole - inside.toNanos() + listener.nanos) / whole;
    System.out.printf(
        Locale.ROOT,
        "a denoising step of %d images: %.2f ms, Java's share %.4f %%%n",
        Workloads.IMAGES,
        whole / 1e6 / CALLS / Workloads.STEPS,
        100 * share);
    return share;
  }

  private static List<RecordedEvent> events(Path file) throws IOException {
    return RecordingFile.readAllEvents(file).stream()
        .filter(event -> event.getEventType().getName().equals("dev.motley.NativeCall"))
        .toList();
  }

  private static double bytesPerStep(DiffusionPipeline pipeline, float[] guidance) {
    long few = allocated(pipeline, guidance, FEW);
    long many = allocated(pipeline, guidance, Workloads.STEPS);
    double bytes = (double) (many - few) / (Workloads.STEPS - FEW);
    System.out.printf(
        Locale.ROOT,
        "Java heap: %d bytes a batch of %d steps, %.2f bytes a further step%n",
        many,
        Workloads.STEPS,
        bytes);
    return bytes;
  }

  /** Of two calls the smaller: the first may still warm something up. */
  private static long allocated(DiffusionPipeline pipeline, float[] guidance, int steps) {
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 2; i++) {
      long before = THREADS.getCurrentThreadAllocatedBytes();
      denoise(pipeline, guidance, steps, ProgressListener.NONE);
      least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before);
    }
    return least;
  }
}
