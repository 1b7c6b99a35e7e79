// SPDX-License-Identifier: Apache-2.0
package dev.motley.train;

import dev.motley.DropRates;
import dev.motley.Normalisation;
import dev.motley.Precision;
import dev.motley.Stem;
import dev.motley.config.Tree;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Recipes as YAML and JSON have them. */
final class RecipeTree {

  /** Those that {@link Recipe#with} may replace. */
  static final List<String> FIELDS =
      List.of(
          "architecture", "stem", "dropout", "stochastic-depth", "image-size", "epochs", "batch", "learning-rate", "weight-decay", "held-out", "crop-scale-min",
          "crop-scale-max", "crop-ratio-min", "crop-ratio-max", "flip", "rotation", "resize", "crop", "normalisation", "test-in-training",
          "warmup-epochs", "label-smoothing", "mixup", "ema", "clip-norm", "randaugment",
          "randaugment-magnitude", "precision", "seed");

  static final List<String> KEYS = Stream.concat(Stream.of("preset", "dataset"), FIELDS.stream()).toList();

  /** A rate that the architecture was published with. */
  private static final String PUBLISHED = "published";

  private RecipeTree() {}

  static Recipe read(Tree tree, String dataset, int imageSize) {
    Recipe start =
        Presets.named(
            tree.text("preset").orElse("quick"),
            tree.text("architecture").orElse("resnet50"),
            tree.text("dataset").orElse(dataset),
            tree.count("image-size").orElse(imageSize));
    return override(start, tree);
  }

  static Recipe override(Recipe start, Tree tree) {
    return new Recipe(
        start.preset(),
        start.dataset(),
        tree.text("architecture").orElse(start.architecture()),
        tree.text("stem").map(Stem::named).orElse(start.stem()),
        new DropRates(
            rate(tree, "dropout").orElse(start.rates().dropout()),
            rate(tree, "stochastic-depth").orElse(start.rates().stochasticDepth())),
        tree.count("image-size").orElse(start.imageSize()),
        tree.count("epochs").orElse(start.epochs()),
        tree.count("batch").orElse(start.batch()),
        tree.number("learning-rate").orElse(start.learningRate()),
        tree.number("weight-decay").orElse(start.weightDecay()),
        tree.count("held-out").orElse(start.heldOut()),
        augmentation(start.augmentation(), tree),
        normalisation(tree).orElse(start.normalisation()),
        truth(tree, "test-in-training").orElse(start.testInTraining()),
        options(start.options(), tree),
        tree.text("precision").map(Precision::named).orElse(start.precision()),
        tree.whole("seed").orElse(start.seed()));
  }

  private static Augmentation augmentation(Augmentation start, Tree tree) {
    return new Augmentation(
        tree.number("crop-scale-min").orElse(start.scaleMin()),
        tree.number("crop-scale-max").orElse(start.scaleMax()),
        tree.number("crop-ratio-min").orElse(start.ratioMin()),
        tree.number("crop-ratio-max").orElse(start.ratioMax()),
        tree.number("flip").orElse(start.flip()),
        tree.number("rotation").orElse(start.rotation()),
        tree.count("resize").orElse(start.resize()),
        tree.count("crop").orElse(start.crop()));
  }

  private static TrainingOptions options(TrainingOptions start, Tree tree) {
    return new TrainingOptions(
        tree.count("warmup-epochs").orElse(start.warmupEpochs()),
        tree.number("label-smoothing").orElse(start.labelSmoothing()),
        tree.number("mixup").orElse(start.mixup()),
        tree.number("ema").orElse(start.ema()),
        tree.number("clip-norm").orElse(start.clipNorm()),
        tree.count("randaugment").orElse(start.randAugment()),
        tree.count("randaugment-magnitude").orElse(start.randAugmentMagnitude()));
  }

  static Map<String, Object> write(Recipe recipe) {
    var tree = new LinkedHashMap<String, Object>();
    tree.put("preset", recipe.preset());
    tree.put("dataset", recipe.dataset());
    tree.put("architecture", recipe.architecture());
    tree.put("stem", recipe.stem().id());
    tree.put("dropout", write(recipe.rates().dropout()));
    tree.put("stochastic-depth", write(recipe.rates().stochasticDepth()));
    tree.put("image-size", recipe.imageSize());
    tree.put("epochs", recipe.epochs());
    tree.put("batch", recipe.batch());
    tree.put("learning-rate", recipe.learningRate());
    tree.put("weight-decay", recipe.weightDecay());
    tree.put("held-out", recipe.heldOut());
    Augmentation augmentation = recipe.augmentation();
    tree.put("crop-scale-min", augmentation.scaleMin());
    tree.put("crop-scale-max", augmentation.scaleMax());
    tree.put("crop-ratio-min", augmentation.ratioMin());
    tree.put("crop-ratio-max", augmentation.ratioMax());
    tree.put("flip", augmentation.flip());
    tree.put("rotation", augmentation.rotation());
    tree.put("resize", augmentation.resize());
    tree.put("crop", augmentation.crop());
    tree.put("normalisation", write(recipe.normalisation()));
    tree.put("test-in-training", recipe.testInTraining());
    TrainingOptions options = recipe.options();
    tree.put("warmup-epochs", options.warmupEpochs());
    tree.put("label-smoothing", options.labelSmoothing());
    tree.put("mixup", options.mixup());
    tree.put("ema", options.ema());
    tree.put("clip-norm", options.clipNorm());
    tree.put("randaugment", options.randAugment());
    tree.put("randaugment-magnitude", options.randAugmentMagnitude());
    tree.put("precision", recipe.precision().id());
    tree.put("seed", recipe.seed());
    return tree;
  }

  /** A number, or {@link #PUBLISHED}. */
  private static Optional<Double> rate(Tree tree, String key) {
    Optional<Object> value = tree.value(key);
    if (value.isEmpty()) {
      return Optional.empty();
    }
    if (value.get().equals(PUBLISHED)) {
      return Optional.of(DropRates.PUBLISHED);
    }
    if (value.get() instanceof Number rate && rate.doubleValue() >= 0) { // PUBLISHED's own number is no rate
      return Optional.of(rate.doubleValue());
    }
    throw Tree.wrong(tree.path(key), "a number in [0, 1) or " + PUBLISHED, value.get());
  }

  private static Object write(double rate) {
    return rate == DropRates.PUBLISHED ? PUBLISHED : rate;
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
    return tree.text("normalisation").map(Normalisation::named);
  }

  private static Optional<Boolean> truth(Tree tree, String key) {
    return tree.value(key)
        .map(
            value -> {
              if (value instanceof Boolean truth) {
                return truth;
              }
              throw Tree.wrong(tree.path(key), "true or false", value);
            });
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

  private static Object write(Normalisation n) {
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
}
