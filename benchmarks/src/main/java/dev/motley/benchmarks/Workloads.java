// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks;

import dev.motley.Normalisation;
import dev.motley.Precision;
import dev.motley.benchmarks.eager.EagerClassifier;
import dev.motley.benchmarks.eager.EagerClassifiers;
import dev.motley.benchmarks.eager.EagerOptions;
import dev.motley.diffusion.ImageRequest;
import dev.motley.ffi.ClassifierConfig;
import dev.motley.ffi.DType;
import dev.motley.ffi.NativeClassifier;
import dev.motley.ffi.TensorInfo;
import dev.motley.ffi.TrainerConfig;
import dev.motley.weights.TensorView;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** What the benchmarks work on, the same for both sides. */
public final class Workloads {

  /** Images per batch of the sampler. */
  static final int IMAGES = 50;

  /** DDIM steps, as in the paper. */
  static final int STEPS = 40;

  /** Pixels, width and height. */
  static final int IMAGE_SIZE = 32;

  /** Images per training step, as in the paper. */
  static final int TRAINING_BATCH = 128;

  static final int CLASSES = 10;
  static final double LEARNING_RATE = 1e-3;
  static final double WEIGHT_DECAY = 0.05;

  private static final List<String> CLOTHES =
      List.of(
          "t-shirt",
          "trouser",
          "pullover",
          "dress",
          "coat",
          "sandal",
          "shirt",
          "sneaker",
          "bag",
          "ankle boot");

  private Workloads() {}

  /** The embedded model: {@code -Dmotley.model}, or models/clothes of the working directory. */
  static Path model() {
    return Path.of(System.getProperty("motley.model", "models/clothes"));
  }

  /** The guidance scales of a batch: one number for all, or "random", uniform in [1, 5]. */
  static float[] guidance(String rule, int images) {
    Random random = new Random(5);
    float[] guidance = new float[images];
    for (int i = 0; i < images; i++) {
      guidance[i] = rule.equals("random") ? random.nextFloat(1, 5) : Float.parseFloat(rule);
    }
    return guidance;
  }

  /** One request per image, the classes in turn. */
  static List<ImageRequest> requests(float[] guidance, long seed) {
    List<ImageRequest> requests = new ArrayList<>();
    for (int i = 0; i < guidance.length; i++) {
      String prompt = "an image of a " + CLOTHES.get(i % CLOTHES.size());
      requests.add(ImageRequest.of(prompt, guidance[i], seed + i));
    }
    return requests;
  }

  static float[] normals(long seed, int count) {
    Random random = new Random(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  /** The trainer's settings as the eager loop has them. */
  static TrainerConfig trainer(int batch) {
    return new TrainerConfig(
        batch, true, false, 0.9, 0.999, 1e-8, WEIGHT_DECAY, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 9, Normalisation.IMAGENET, 1);
  }

  /** A batch, as both sides get it. */
  @State(Scope.Benchmark)
  public static class Batch {

    final float[] images = normals(1, TRAINING_BATCH * 3 * IMAGE_SIZE * IMAGE_SIZE);
    final int[] labels = IntStream.range(0, TRAINING_BATCH).map(i -> i % CLASSES).toArray();
    final long[] longLabels = IntStream.of(labels).asLongStream().toArray();
  }

  /** The eager side's options by its memory format: "faster", "contiguous" or "channels-last". */
  static EagerOptions eager(String format) {
    return switch (format) {
      case "faster" -> EagerOptions.PUBLISHED;
      case "contiguous" -> EagerOptions.PUBLISHED.in(MemoryFormat.Contiguous);
      case "channels-last" -> EagerOptions.PUBLISHED.in(MemoryFormat.ChannelsLast);
      default ->
          throw new IllegalArgumentException(
              "format " + format + ", expected faster, contiguous or channels-last");
    };
  }

  /** A classifier of 10 classes with the weights that the seed gives. */
  static NativeClassifier classifier(String architecture, long seed) {
    return NativeClassifier.create(
        new ClassifierConfig(architecture, CLASSES, IMAGE_SIZE, Precision.FP32, seed));
  }

  /** All tensors of a classifier, by the original's names and in its order. */
  static Map<String, TensorView> weights(NativeClassifier classifier) {
    Map<String, TensorView> weights = new LinkedHashMap<>();
    for (int i = 0; i < classifier.tensors().size(); i++) {
      TensorInfo tensor = classifier.tensors().get(i);
      String name = tensor.name();
      long[] shape = tensor.shape().stream().mapToLong(Long::longValue).toArray();
      boolean counter = tensor.type() == DType.I64; // of batches: one number
      weights.put(
          name,
          counter
              ? TensorView.ofLongs(name, shape, (long) classifier.read(i)[0])
              : TensorView.ofFloats(name, shape, classifier.read(i)));
    }
    return weights;
  }

  /** The eager peer with the same weights as {@link #classifier}. */
  static EagerClassifier peer(String architecture, long seed, EagerOptions options) {
    try (NativeClassifier classifier = classifier(architecture, seed)) {
      return EagerClassifiers.create(architecture, weights(classifier), options);
    }
  }
}
