// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.Precision;
import dev.motley.Progress;
import dev.motley.ProgressListener;
import dev.motley.diffusion.DiffusionPipeline;
import dev.motley.diffusion.Drawing;
import dev.motley.diffusion.ImageRequest;
import dev.motley.diffusion.Latents;
import dev.motley.diffusion.SamplingOptions;
import dev.motley.ffi.NativePeaks;
import dev.motley.ffi.NativeProfile;
import dev.motley.tricks.GuidanceRule;
import dev.motley.weights.Ema;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.IntStream;

/** Draws the same pictures again and again, and takes the time. */
final class Benchmark {
  private static final List<String> SUBJECTS = List.of("a dress", "a coat", "a sandal", "a bag", "a shirt");
  private static final double NANO = 1e-9;

  /** What is drawn. */
  record Setup(
      Path model, Ema ema, Precision precision, PixelSize size, Optional<Integer> batch, int steps, int repeats, boolean profile) {}

  /**
   * What came of it. Times are of a whole batch, in seconds, one a repeat; the warm-up is not among them.
   *
   * @param peakMemory most resident bytes of the process until then, the profile's not counted
   */
  record Result(
      String modelHash,
      SamplingOptions options,
      int batch,
      double loading,
      List<Double> sampling,
      List<Double> decoding,
      OptionalLong peakMemory,
      Optional<Profiles> profiles) {}

  /** Where the time goes, and what the machine could do. */
  record Profiles(NativePeaks peaks, NativeProfile sampling, NativeProfile decoding) {}

  private final Setup setup;
  private final ProgressListener listener;
  private final DiffusionPipeline pipeline;
  private final SamplingOptions options;
  private final List<ImageRequest> requests;
  private int passes;

  private Benchmark(Setup setup, DiffusionPipeline pipeline, SamplingOptions options, ProgressListener listener) {
    this.setup = setup;
    this.pipeline = pipeline;
    this.listener = listener;
    this.options = options;
    int batch = setup.batch().orElse(Drawing.usualBatch(options.width(), options.height()));
    requests = IntStream.range(0, batch).mapToObj(Benchmark::request).toList();
  }

  private static ImageRequest request(int i) {
    return ImageRequest.of("a photo of " + SUBJECTS.get(i % SUBJECTS.size()), GuidanceRule.COMPVIS_DEFAULT, i);
  }

  /**
   * Loads the model and measures it.
   *
   * @throws dev.motley.CancelledException if the listener stopped it
   */
  static Result run(Setup setup, ProgressListener listener) {
    long start = System.nanoTime();
    var options = new SamplingOptions(setup.size().width(), setup.size().height(), setup.steps(), false);
    try (DiffusionPipeline pipeline =
        DiffusionPipeline.load(setup.model(), setup.precision(), setup.ema(), false, List.of(options), listener)) {
      double loading = since(start);
      return new Benchmark(setup, pipeline, options, listener).measure(loading);
    }
  }

  private Result measure(double loading) {
    var sampling = new ArrayList<Double>();
    var decoding = new ArrayList<Double>();
    decode(sample()); // memory comes to the pool, prompts are encoded, what is derived from weights is made
    for (int i = 0; i < setup.repeats(); i++) {
      long start = System.nanoTime();
      Latents latents = sample();
      sampling.add(since(start));
      long middle = System.nanoTime();
      decode(latents);
      decoding.add(since(middle));
    }
    OptionalLong peakMemory = PeakMemory.bytes();
    return new Result(
        pipeline.modelHash(), options, requests.size(), loading, sampling, decoding, peakMemory,
        setup.profile() ? Optional.of(profiles()) : Optional.empty());
  }

  private Profiles profiles() {
    var latents = new ArrayList<Latents>();
    NativeProfile sampling = NativeProfile.of(() -> latents.add(sample()));
    NativeProfile decoding = NativeProfile.of(() -> decode(latents.getFirst()));
    return new Profiles(NativePeaks.measure(setup.precision()), sampling, decoding);
  }

  private Latents sample() {
    int before = passes++ * setup.steps();
    int total = (1 + setup.repeats() + (setup.profile() ? 1 : 0)) * setup.steps();
    ProgressListener steps = step -> listener.onProgress(new Progress("bench", before + step.done(), total, 0, "steps", ""));
    return pipeline.denoise(requests, options, steps);
  }

  private void decode(Latents latents) {
    pipeline.decode(latents, options.truncate());
  }

  private static double since(long start) {
    return NANO * (System.nanoTime() - start);
  }
}
