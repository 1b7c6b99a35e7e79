// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks;

import dev.motley.Normalisation;
import dev.motley.diffusion.ImageRequest;
import dev.motley.ffi.TrainerConfig;
import dev.motley.weights.TensorView;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** What the benchmarks work on, the same for both sides. */
final class Workloads {

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
  private static final int[] RESNET50 = {3, 4, 6, 3};
  private static final int EXPANSION = 4;

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

  /** ResNet50 by torchvision's names, in its order, with He's initialisation. */
  static Map<String, TensorView> resNet50(long seed) {
    Map<String, TensorView> tensors = new LinkedHashMap<>();
    Random random = new Random(seed);
    conv(tensors, random, "conv1", 64, 3, 7);
    norm(tensors, "bn1", 64);
    long in = 64;
    for (int layer = 1; layer <= RESNET50.length; layer++) {
      long width = 64L << (layer - 1);
      for (int j = 0; j < RESNET50[layer - 1]; j++) {
        String name = "layer" + layer + "." + j + ".";
        conv(tensors, random, name + "conv1", width, in, 1);
        norm(tensors, name + "bn1", width);
        conv(tensors, random, name + "conv2", width, width, 3);
        norm(tensors, name + "bn2", width);
        conv(tensors, random, name + "conv3", width * EXPANSION, width, 1);
        norm(tensors, name + "bn3", width * EXPANSION);
        if (j == 0) {
          conv(tensors, random, name + "downsample.0", width * EXPANSION, in, 1);
          norm(tensors, name + "downsample.1", width * EXPANSION);
        }
        in = width * EXPANSION;
      }
    }
    put(tensors, "fc.weight", gaussian(random, CLASSES * in, Math.sqrt(1.0 / in)), CLASSES, in);
    put(tensors, "fc.bias", new float[CLASSES], CLASSES);
    return tensors;
  }

  private static void conv(
      Map<String, TensorView> tensors, Random random, String name, long out, long in, long k) {
    double deviation = Math.sqrt(2.0 / (out * k * k));
    put(tensors, name + ".weight", gaussian(random, out * in * k * k, deviation), out, in, k, k);
  }

  private static void norm(Map<String, TensorView> tensors, String name, long width) {
    put(tensors, name + ".weight", constant(1, width), width);
    put(tensors, name + ".bias", constant(0, width), width);
    put(tensors, name + ".running_mean", constant(0, width), width);
    put(tensors, name + ".running_var", constant(1, width), width);
    String batches = name + ".num_batches_tracked";
    tensors.put(batches, TensorView.ofLongs(batches, new long[0], 0));
  }

  private static void put(
      Map<String, TensorView> tensors, String name, float[] values, long... shape) {
    tensors.put(name, TensorView.ofFloats(name, shape, values));
  }

  private static float[] gaussian(Random random, long count, double deviation) {
    float[] values = new float[Math.toIntExact(count)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (random.nextGaussian() * deviation);
    }
    return values;
  }

  private static float[] constant(float value, long count) {
    float[] values = new float[Math.toIntExact(count)];
    Arrays.fill(values, value);
    return values;
  }
}
