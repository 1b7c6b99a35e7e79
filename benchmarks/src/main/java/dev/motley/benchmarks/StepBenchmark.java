// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks;

import dev.motley.Precision;
import dev.motley.ProgressListener;
import dev.motley.benchmarks.eager.EagerSampler;
import dev.motley.benchmarks.eager.EagerUNet;
import dev.motley.diffusion.DiffusionPipeline;
import dev.motley.diffusion.ImageRequest;
import dev.motley.diffusion.Latents;
import dev.motley.diffusion.SamplingOptions;
import dev.motley.weights.Checkpoint;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Denoising steps with guidance per second, one picture of the size the model was trained for: Motley against the same network in
 * eager PyTorch, both on all cores. The model is {@code -Dmotley.model}'s, in diffusers' layout: meant for Stable Diffusion itself,
 * whose weights may be random.
 *
 * <pre>
 * JMH_OPTIONS="-jvmArgsAppend -Dmotley.model=DIR -p precision=bf16" benchmarks/run step
 * </pre>
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 1, time = 1)
@Measurement(iterations = 2, time = 1)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class StepBenchmark {
  private static final double GUIDANCE = 7.5;

  /** Motley's pipeline. */
  @State(Scope.Benchmark)
  public static class Ours {

    @Param({"fp32", "bf16"})
    public String precision;

    private DiffusionPipeline pipeline;
    private SamplingOptions options;

    /** Loads the model. */
    @Setup
    public void load() {
      pipeline = DiffusionPipeline.load(Workloads.model(), Precision.named(precision));
      options = new SamplingOptions(pipeline.nativeSize(), pipeline.nativeSize(), 1, false);
    }

    /** Frees the model. */
    @TearDown
    public void close() {
      pipeline.close();
    }
  }

  /** The eager peer. Its encoded prompts are stand-ins: their values cost nothing. */
  @State(Scope.Benchmark)
  public static class Theirs {
    private static final int TOKENS = 77;

    @Param({"fp32", "bf16"})
    public String precision;

    @Param("true")
    public boolean channelsLast;

    private EagerUNet unet;
    private EagerSampler sampler;
    private int channels;
    private int size;
    private int width;

    /** Loads the model. */
    @Setup
    public void load() {
      try (Checkpoint checkpoint = Checkpoint.open(Workloads.model())) {
        unet =
            new EagerUNet(
                checkpoint.unetConfig(),
                checkpoint.unet().tensors(),
                channelsLast ? MemoryFormat.ChannelsLast : MemoryFormat.Contiguous,
                Precision.named(precision) == Precision.FP32 ? ScalarType.Float : ScalarType.BFloat16);
        sampler = new EagerSampler(unet, checkpoint.schedulerConfig());
        channels = checkpoint.unetConfig().inChannels();
        size = checkpoint.nativeSize().orElseThrow() / checkpoint.vaeConfig().downscale();
        width = checkpoint.unetConfig().crossAttentionDim();
      }
    }

    /** Frees the model. */
    @TearDown
    public void close() {
      unet.close();
    }
  }

  /** Ours. */
  @Benchmark
  public Latents motley(Ours ours) {
    return ours.pipeline.denoise(
        List.of(ImageRequest.of("an image of a dog", GUIDANCE, 1)), ours.options, ProgressListener.NONE);
  }

  /** The same network in eager PyTorch. */
  @Benchmark
  public float[] eager(Theirs theirs) {
    try (PointerScope scope = new PointerScope()) {
      int n = theirs.channels * theirs.size * theirs.size;
      int context = Theirs.TOKENS * theirs.width;
      Tensor latents = Tensor.create(Workloads.normals(1, n), 1, theirs.channels, theirs.size, theirs.size);
      Tensor negative = Tensor.create(Workloads.normals(2, context), 1, Theirs.TOKENS, theirs.width);
      Tensor positive = Tensor.create(Workloads.normals(3, context), 1, Theirs.TOKENS, theirs.width);
      Tensor guidance = Tensor.create(new float[] {(float) GUIDANCE}, 1, 1, 1, 1);
      Tensor done = theirs.sampler.sample(latents, negative, positive, guidance, 1).contiguous();
      float[] values = new float[n];
      new FloatPointer(done.data_ptr()).get(values);
      return values;
    }
  }
}
