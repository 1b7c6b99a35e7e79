// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks;

import dev.motley.benchmarks.eager.EagerClassifier;
import dev.motley.benchmarks.eager.EagerTrainer;
import dev.motley.ffi.NativeClassifier;
import dev.motley.ffi.NativeTrainer;
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
 * Seconds of a training step: 32x32, batch 128, AdamW, float32, dropout and stochastic depth as published. Both sides begin with
 * the same weights and get the same normalised images from Java arrays; a step is forward, softmax cross-entropy, backward and the
 * update of all parameters.
 *
 * <pre>
 * java -jar benchmarks/target/motley-benchmarks-0.1.0-SNAPSHOT.jar TrainingBenchmark -p architecture=vit_b
 * benchmarks/run training    # both sides in alternation, and their ratio
 * </pre>
 */
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 2)
@Measurement(iterations = 5)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class TrainingBenchmark {

  /** Motley's trainer. */
  @State(Scope.Benchmark)
  public static class Ours {

    @Param({"resnet50", "resnet101", "mobilenet_v3_small", "convnext_small", "vit_b", "vit_b_p4"})
    public String architecture;

    private NativeClassifier classifier;
    private NativeTrainer trainer;

    /** Draws the weights. */
    @Setup
    public void load() {
      classifier = Workloads.classifier(architecture, 1);
      trainer = NativeTrainer.create(classifier, Workloads.trainer(Workloads.TRAINING_BATCH));
    }

    /** Frees them. */
    @TearDown
    public void close() {
      trainer.close();
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
    private EagerTrainer trainer;

    /** Copies the weights. */
    @Setup
    public void load() {
      network = Workloads.peer(architecture, 1, Workloads.eager(format));
      trainer = new EagerTrainer(network, Workloads.LEARNING_RATE, Workloads.WEIGHT_DECAY);
    }

    /** Frees them. */
    @TearDown
    public void close() {
      trainer.close();
      network.close();
    }
  }

  /** Ours. */
  @Benchmark
  public double motley(Ours ours, Workloads.Batch batch) {
    return ours.trainer.step(batch.images, batch.labels, Workloads.LEARNING_RATE).loss();
  }

  /** The same network in eager PyTorch. */
  @Benchmark
  public double eager(Theirs theirs, Workloads.Batch batch) {
    return theirs.trainer.step(batch.images, Workloads.IMAGE_SIZE, batch.longLabels);
  }
}
