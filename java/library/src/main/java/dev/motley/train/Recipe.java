// SPDX-License-Identifier: Apache-2.0
package dev.motley.train;

import dev.motley.InvalidInputException;
import dev.motley.Normalisation;
import dev.motley.Precision;
import dev.motley.config.Names;
import dev.motley.config.Tree;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Everything that decides a training, but for the data.
 *
 * @param architecture name of the network, e.g. {@code resnet50}
 * @param imageSize height and width of the images in pixels
 * @param epochs passes over the data
 * @param batch images per optimizer step
 * @param learningRate AdamW's, at the first epoch; cosine annealing per epoch to 0
 * @param weightDecay AdamW's decoupled decay, on all parameters, times the learning rate
 * @param labelSmoothing share of the target spread over all classes; 0 is plain cross-entropy
 * @param augmentation random crop and flip
 * @param normalisation of the network's input
 * @param precision what the network computes in
 * @param seed of initialisation, order and augmentation
 */
public record Recipe(
    String architecture,
    int imageSize,
    int epochs,
    int batch,
    double learningRate,
    double weightDecay,
    double labelSmoothing,
    Augmentation augmentation,
    Normalisation normalisation,
    Precision precision,
    long seed) {

  /** AdamW's beta1, beta2 and epsilon: torch's defaults, which the paper keeps. */
  public static final double BETA1 = 0.9;

  public static final double BETA2 = 0.999;
  public static final double EPSILON = 1e-8;

  /** Far above any use; a larger one is a slip. */
  public static final int MAX_LEARNING_RATE = 10;

  /** Far above any use; a larger one is a slip. */
  public static final int MAX_WEIGHT_DECAY = 100;

  /** The networks that the native core knows. */
  public static final List<String> ARCHITECTURES = List.of("resnet50", "resnet101", "resnet20", "resnet56");

  public Recipe {
    Names.find("architecture", architecture, ARCHITECTURES, name -> name);
    positive("image size", imageSize);
    positive("epochs", epochs);
    positive("batch", batch);
    if (!(learningRate > 0 && learningRate <= MAX_LEARNING_RATE)) {
      throw new InvalidInputException(
          "learning rate must be in (0, %d], got %s".formatted(MAX_LEARNING_RATE, learningRate));
    }
    if (!(weightDecay >= 0 && weightDecay <= MAX_WEIGHT_DECAY)) {
      throw new InvalidInputException(
          "weight decay must be in [0, %d], got %s".formatted(MAX_WEIGHT_DECAY, weightDecay));
    }
    if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
      throw new InvalidInputException("label smoothing must be in [0, 1), got " + labelSmoothing);
    }
    if (precision == Precision.FP16) {
      throw new InvalidInputException("precision fp16 is for diffusion models: classifiers compute in fp32 or bf16");
    }
  }

  /**
   * The paper's recipe for CIFAR: 200 epochs, batch 128, AdamW 2e-4 with decay 0.9, cosine (Shipard et al. 2023, section 4),
   * with the augmentation and normalisation of its published code.
   */
  public static Recipe paper(int imageSize) {
    return new Recipe(
        "resnet50",
        imageSize,
        200,
        128,
        2e-4,
        0.9,
        0,
        Augmentation.TORCHVISION,
        Normalisation.IMAGENET,
        Precision.FP32,
        0);
  }

  /** A short recipe for small sets of small images: what the demo trains with. */
  public static Recipe quick(int imageSize) {
    return new Recipe(
        "resnet50",
        imageSize,
        20,
        128,
        1e-3,
        0.05,
        0,
        Augmentation.TORCHVISION.withScaleMin(0.35),
        Normalisation.IMAGENET,
        Precision.FP32,
        0);
  }

  /** The same with another number of epochs. */
  public Recipe withEpochs(int value) {
    return new Recipe(
        architecture, imageSize, value, batch, learningRate, weightDecay, labelSmoothing,
        augmentation, normalisation, precision, seed);
  }

  /** The same with another seed. */
  public Recipe withSeed(long value) {
    return new Recipe(
        architecture, imageSize, epochs, batch, learningRate, weightDecay, labelSmoothing,
        augmentation, normalisation, precision, value);
  }

  /** The same in another precision. */
  public Recipe withPrecision(Precision value) {
    return new Recipe(
        architecture, imageSize, epochs, batch, learningRate, weightDecay, labelSmoothing,
        augmentation, normalisation, value, seed);
  }

  /** Cosine annealing to 0 over the epochs, stepped once per epoch (torch's CosineAnnealingLR with T_max = epochs). */
  public double learningRateAt(int epoch) {
    return learningRate * (1 + Math.cos(Math.PI * epoch / epochs)) / 2;
  }

  /**
   * Reads a recipe from a parsed YAML or JSON tree: {@code preset} ({@code quick} or {@code paper}) and any field to override.
   *
   * @throws InvalidInputException naming the key that is unknown or wrong
   */
  public static Recipe fromTree(Tree tree, int imageSize) {
    Recipe start = named(tree.text("preset").orElse("quick"), tree.count("image-size").orElse(imageSize));
    Augmentation a = start.augmentation();
    return new Recipe(
        tree.text("architecture").orElse(start.architecture()),
        start.imageSize(),
        tree.count("epochs").orElse(start.epochs()),
        tree.count("batch").orElse(start.batch()),
        tree.number("learning-rate").orElse(start.learningRate()),
        tree.number("weight-decay").orElse(start.weightDecay()),
        tree.number("label-smoothing").orElse(start.labelSmoothing()),
        new Augmentation(
            tree.number("crop-scale-min").orElse(a.scaleMin()),
            tree.number("crop-scale-max").orElse(a.scaleMax()),
            tree.number("crop-ratio-min").orElse(a.ratioMin()),
            tree.number("crop-ratio-max").orElse(a.ratioMax()),
            tree.number("flip").orElse(a.flip())),
        normalisation(tree).orElse(start.normalisation()),
        tree.text("precision").map(Precision::named).orElse(start.precision()),
        tree.whole("seed").orElse(start.seed()));
  }

  /** The keys that {@link #fromTree} knows. */
  public static final List<String> KEYS =
      List.of(
          "preset", "architecture", "image-size", "epochs", "batch", "learning-rate", "weight-decay",
          "label-smoothing", "crop-scale-min", "crop-scale-max", "crop-ratio-min", "crop-ratio-max", "flip",
          "normalisation", "precision", "seed");

  /** Every field, as {@link #fromTree} reads it back. */
  public Map<String, Object> toTree() {
    var tree = new LinkedHashMap<String, Object>();
    tree.put("architecture", architecture);
    tree.put("image-size", imageSize);
    tree.put("epochs", epochs);
    tree.put("batch", batch);
    tree.put("learning-rate", learningRate);
    tree.put("weight-decay", weightDecay);
    tree.put("label-smoothing", labelSmoothing);
    tree.put("crop-scale-min", augmentation.scaleMin());
    tree.put("crop-scale-max", augmentation.scaleMax());
    tree.put("crop-ratio-min", augmentation.ratioMin());
    tree.put("crop-ratio-max", augmentation.ratioMax());
    tree.put("flip", augmentation.flip());
    tree.put("normalisation", toTree(normalisation));
    tree.put("precision", precision.id());
    tree.put("seed", seed);
    return tree;
  }

  /**
   * Finds a preset.
   *
   * @param name {@code quick} or {@code paper}
   */
  public static Recipe named(String name, int imageSize) {
    String preset = Names.find("recipe", name, List.of("quick", "paper"), n -> n);
    return preset.equals("paper") ? paper(imageSize) : quick(imageSize);
  }

  /** A name, or {@code {mean: [r, g, b], std: [r, g, b]}}. */
  private static Optional<Normalisation> normalisation(Tree tree) {
    Optional<Object> value = tree.value("normalisation");
    if (value.isPresent() && value.get() instanceof Map) {
      Tree own = tree.tree("normalisation", List.of("mean", "std")).orElseThrow();
      float[] mean = three(own, "mean");
      float[] std = three(own, "std");
      return Optional.of(new Normalisation(mean[0], mean[1], mean[2], std[0], std[1], std[2]));
    }
    return tree.text("normalisation")
        .map(
            name ->
                Names.find("normalisation", name, List.of("imagenet", "unit"), n -> n).equals("unit")
                    ? Normalisation.UNIT
                    : Normalisation.IMAGENET);
  }

  private static float[] three(Tree tree, String key) {
    Object value = tree.value(key).orElse("nothing");
    if (value instanceof List<?> list && list.size() == 3 && list.stream().allMatch(Number.class::isInstance)) {
      var numbers = new float[3];
      for (int c = 0; c < 3; c++) {
        numbers[c] = ((Number) list.get(c)).floatValue();
      }
      return numbers;
    }
    throw Tree.wrong(tree.path(key), "a list of three numbers", value);
  }

  private static Object toTree(Normalisation n) {
    if (n.equals(Normalisation.UNIT)) {
      return "unit";
    }
    if (n.equals(Normalisation.IMAGENET)) {
      return "imagenet";
    }
    var tree = new LinkedHashMap<String, Object>();
    tree.put("mean", decimals(n.meanRed(), n.meanGreen(), n.meanBlue()));
    tree.put("std", decimals(n.stdRed(), n.stdGreen(), n.stdBlue()));
    return tree;
  }

  /** As a float is printed: 0.485, not the double nearest to it. */
  private static List<Double> decimals(float... values) {
    return IntStream.range(0, values.length).mapToObj(i -> Double.valueOf(Float.toString(values[i]))).toList();
  }

  private static void positive(String what, int value) {
    if (value <= 0) {
      throw new InvalidInputException(what + " must be positive, got " + value);
    }
  }
}
