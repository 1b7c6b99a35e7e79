// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks;

import dev.motley.BatchNormMode;
import dev.motley.benchmarks.eager.EagerClassifier;
import dev.motley.ffi.NativeClassifier;
import java.util.concurrent.TimeUnit;
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
 * Seconds of classifying a batch of 128 images of 32x32 in float32, running statistics, no gradients (theirs in inference mode).
 * Both sides have the same weights and get the same normalised images from a Java array, and give the logits in one.
 *
 * <pre>
 * benchmarks/run evaluation    # both sides in alternation, and their ratio
 * </pre>
 */
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 2)
@Measurement(iterations = 5)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class EvaluationBenchmark {

  /** Motley's classifier. */
  @State(Scope.Benchmark)
  public static class Ours {

    @Param({"resnet50", "resnet101", "mobilenet_v3_small", "convnext_small", "vit_b", "vit_b_p4"})
    public String architecture;

    private NativeClassifier classifier;

    /** Draws the weights. */
    @Setup
    public void load() {
      classifier = Workloads.classifier(architecture, 1);
    }

    /** Frees them. */
    @TearDown
    public void close() {
      classifier.close();
    }
  }

  /** The eager peer. */
  @State(Scope.Benchmark)
  public static class Theirs {

    @Param({"resnet50", "resnet101", "mobilenet_v3_small", "convnext_small", "vit_b", "vit_b_p4"})
    public String architecture;

    @Param("faster")
    public String format;

    private EagerClassifier network;

    /** Copies the weights. */
    @Setup
    public void load() {
      network = Workloads.peer(architecture, 1, Workloads.eager(format));
    }

    /** Frees them. */
    @TearDown
    public void close() {
      network.close();
    }
  }

  /** Ours. */
  @Benchmark
  public float[] motley(Ours ours, Workloads.Batch batch) {
    return ours.classifier.forward(batch.images, BatchNormMode.RUNNING);
  }

  /** The same network in eager PyTorch. */
  @Benchmark
  public float[] eager(Theirs theirs, Workloads.Batch batch) {
    return theirs.network.classify(batch.images, Workloads.TRAINING_BATCH, Workloads.IMAGE_SIZE);
  }
}
