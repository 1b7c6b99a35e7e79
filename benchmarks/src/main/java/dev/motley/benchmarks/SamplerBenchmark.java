// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks;

import dev.motley.Precision;
import dev.motley.ProgressListener;
import dev.motley.benchmarks.eager.EagerPipeline;
import dev.motley.diffusion.DiffusionPipeline;
import dev.motley.diffusion.Pictures;
import dev.motley.diffusion.SamplingOptions;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Images per second from noise to pixels: the embedded model, a batch of 50, 40 DDIM steps, float32.
 * Prompts are encoded before on both sides. Guidance 7.5 for all, or the paper's random guidance,
 * uniform in [1, 5] per image.
 *
 * <pre>
 * java -jar benchmarks/target/motley-benchmarks-0.1.0-SNAPSHOT.jar SamplerBenchmark
 * benchmarks/run sampler     # both sides in alternation, and their ratio
 * </pre>
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 1, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class SamplerBenchmark {

  /** Motley's pipeline. */
  @State(Scope.Benchmark)
  public static class Ours {

    @Param({"7.5", "random"})
    public String guidance;

    private final SamplingOptions options =
        new SamplingOptions(
            Workloads.IMAGE_SIZE, Workloads.IMAGE_SIZE, Workloads.STEPS, false);
    private DiffusionPipeline pipeline;
    private float[] scales;
    private long seed;

    /** Loads the model and encodes the prompts. */
    @Setup
    public void load() {
      pipeline = DiffusionPipeline.load(Workloads.model(), Precision.FP32);
      scales = Workloads.guidance(guidance, Workloads.IMAGES);
      pipeline.denoise(
          Workloads.requests(scales, 0),
          new SamplingOptions(Workloads.IMAGE_SIZE, Workloads.IMAGE_SIZE, 1, false),
          ProgressListener.NONE);
    }

    /** Frees the model. */
    @TearDown
    public void close() {
      pipeline.close();
    }
  }

  /** The eager peer. */
  @State(Scope.Benchmark)
  public static class Theirs {

    private static final int CHANNELS = 4;
    private static final int LATENT_SIZE = 8;
    private static final int TOKENS = 77;
    private static final int WIDTH = 96;

    @Param({"7.5", "random"})
    public String guidance;

    @Param("false")
    public boolean channelsLast;

    private EagerPipeline pipeline;
    private EagerPipeline.Batch batch;

    /** Loads the model. Stand-ins for encoded prompts: their values cost nothing. */
    @Setup
    public void load() {
      pipeline = EagerPipeline.load(Workloads.model(), channelsLast);
      int n = Workloads.IMAGES;
      batch =
          new EagerPipeline.Batch(
              n,
              CHANNELS,
              LATENT_SIZE,
              TOKENS,
              Workloads.normals(1, n * CHANNELS * LATENT_SIZE * LATENT_SIZE),
              Workloads.normals(2, n * TOKENS * WIDTH),
              Workloads.normals(3, n * TOKENS * WIDTH),
              Workloads.guidance(guidance, n));
    }

    /** Frees the model. */
    @TearDown
    public void close() {
      pipeline.close();
    }
  }

  /** Ours. */
  @Benchmark
  @OperationsPerInvocation(Workloads.IMAGES)
  public Pictures motley(Ours ours) {
    ours.seed += Workloads.IMAGES;
    return ours.pipeline.draw(
        Workloads.requests(ours.scales, ours.seed), ours.options, ProgressListener.NONE);
  }

  /** The same networks in eager PyTorch. */
  @Benchmark
  @OperationsPerInvocation(Workloads.IMAGES)
  public byte[] eager(Theirs theirs) {
    return theirs.pipeline.draw(theirs.batch, Workloads.STEPS);
  }
}
