// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks;

import dev.motley.Precision;
import dev.motley.benchmarks.eager.EagerResNet50;
import dev.motley.benchmarks.eager.EagerTrainer;
import dev.motley.ffi.ClassifierConfig;
import dev.motley.ffi.DType;
import dev.motley.ffi.NativeClassifier;
import dev.motley.ffi.NativeTrainer;
import dev.motley.ffi.NativeWeights;
import dev.motley.weights.TensorView;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Training steps per second: ResNet50 at 32x32, batch 128, AdamW, float32. Both sides begin with the
 * same weights and get the same normalised images from Java arrays; a step is forward, softmax
 * cross-entropy, backward and the update of all parameters.
 *
 * <pre>
 * java -jar benchmarks/target/motley-benchmarks-0.1.0-SNAPSHOT.jar TrainingBenchmark
 * benchmarks/run training    # both sides in alternation, and their ratio
 * </pre>
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 1, time = 3)
@Measurement(iterations = 3, time = 4)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class TrainingBenchmark {

  /** A batch, as both sides get it. */
  @State(Scope.Benchmark)
  public static class Batch {

    final float[] images =
        Workloads.normals(
            1, Workloads.TRAINING_BATCH * 3 * Workloads.IMAGE_SIZE * Workloads.IMAGE_SIZE);
    final int[] labels = new int[Workloads.TRAINING_BATCH];
    final long[] longLabels = new long[Workloads.TRAINING_BATCH];

    /** Labels in turn. */
    public Batch() {
      for (int i = 0; i < labels.length; i++) {
        labels[i] = i % Workloads.CLASSES;
        longLabels[i] = labels[i];
      }
    }
  }

  /** Motley's trainer. */
  @State(Scope.Benchmark)
  public static class Ours {

    private NativeClassifier classifier;
    private NativeTrainer trainer;

    /** Copies the weights. */
    @Setup
    public void load() {
      classifier = classifier(Workloads.resNet50(1));
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

    private EagerResNet50 network;
    private EagerTrainer trainer;

    /** Copies the weights. */
    @Setup
    public void load() {
      network = new EagerResNet50(Workloads.resNet50(1));
      trainer = new EagerTrainer(network, Workloads.LEARNING_RATE, Workloads.WEIGHT_DECAY);
    }

    /** Frees them. */
    @TearDown
    public void close() {
      trainer.close();
      network.close();
    }
  }

  static NativeClassifier classifier(Map<String, TensorView> tensors) {
    ClassifierConfig config =
        new ClassifierConfig(
            "resnet50", Workloads.CLASSES, Workloads.IMAGE_SIZE, Precision.FP32, 1);
    try (NativeWeights weights = NativeWeights.create()) {
      for (TensorView tensor : tensors.values()) {
        boolean counter = tensor.name().endsWith("num_batches_tracked");
        DType type = counter ? DType.I64 : DType.F32;
        weights.add(tensor.name(), type, tensor.shape(), tensor.data());
      }
      return NativeClassifier.create(config, weights);
    }
  }

  /** Ours. */
  @Benchmark
  public double motley(Ours ours, Batch batch) {
    return ours.trainer.step(batch.images, batch.labels, Workloads.LEARNING_RATE).loss();
  }

  /** The same network in eager PyTorch. */
  @Benchmark
  public double eager(Theirs theirs, Batch batch) {
    return theirs.trainer.step(batch.images, Workloads.IMAGE_SIZE, batch.longLabels);
  }
}
