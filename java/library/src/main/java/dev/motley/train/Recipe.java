// SPDX-License-Identifier: Apache-2.0
package dev.motley.train;

import dev.motley.DropRates;
import dev.motley.InvalidInputException;
import dev.motley.Normalisation;
import dev.motley.Precision;
import dev.motley.Stem;
import dev.motley.config.Names;
import dev.motley.config.Tree;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * Everything that decides a training, but for the data.
 *
 * @param preset what decided the fields that were not given: {@code quick}, {@code paper} or {@code repo}
 * @param dataset what it decided them for: a built-in class list such as {@code cifar10}, or {@code other}
 * @param architecture name of the network, e.g. {@code resnet50}
 * @param stem how the network begins, of a ResNet
 * @param rates what the network leaves out while it trains, where it has dropout or stochastic depth
 * @param imageSize height and width of the images in pixels
 * @param epochs passes over the data
 * @param batch images per optimizer step
 * @param learningRate AdamW's, at its highest; cosine annealing per epoch to 0
 * @param weightDecay AdamW's decoupled decay, on all parameters, times the learning rate
 * @param heldOut images that are drawn by the seed and never trained on
 * @param augmentation of the training images
 * @param normalisation of the network's input
 * @param testInTraining whether dropout and stochastic depth stay on in the tests with batch statistics, as where {@code model.eval()}
 *     is never called
 * @param options what every preset leaves off
 * @param precision what the network computes in
 * @param seed of initialisation, order and augmentation
 */
public record Recipe(
    String preset,
    String dataset,
    String architecture,
    Stem stem,
    DropRates rates,
    int imageSize,
    int epochs,
    int batch,
    double learningRate,
    double weightDecay,
    int heldOut,
    Augmentation augmentation,
    Normalisation normalisation,
    boolean testInTraining,
    TrainingOptions options,
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
  public static final List<String> ARCHITECTURES =
      List.of(
          "resnet50", "resnet101", "mobilenet_v3_small", "convnext_small", "convnext_base", "vit_b", "vit_b_p4", "vit_s", "resnet20",
          "resnet56");

  /** The presets. */
  public static final List<String> PRESETS = Presets.NAMES;

  /** What {@code dataset} may be. */
  public static final List<String> DATASETS = Presets.DATASETS;

  /** A data set that has no values of its own. */
  public static final String OTHER_DATASET = Presets.OTHER;

  /** The keys that {@link #fromTree} knows. */
  public static final List<String> KEYS = RecipeTree.KEYS;

  /** Where a warm-up begins, as a share of the learning rate: that of torchvision's reference trainings. */
  private static final double WARMUP_START = 0.01;

  public Recipe {
    Names.find("recipe", preset, PRESETS, name -> name);
    Names.find("data set", dataset, DATASETS, name -> name);
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
    if (heldOut < 0) {
      throw new InvalidInputException("held-out images must not be negative, got " + heldOut);
    }
    if (options.warmupEpochs() >= epochs) {
      throw new InvalidInputException(
          "%d warm-up epochs must be fewer than the %d epochs".formatted(options.warmupEpochs(), epochs));
    }
    if (precision == Precision.FP16) {
      throw new InvalidInputException("precision fp16 is for diffusion models: classifiers compute in fp32 or bf16");
    }
  }

  /**
   * The paper's recipe (Shipard et al. 2023, section 4): 200 epochs, batch 128, AdamW 2e-4, cosine annealing, weight decay 0.1 for
   * MobileNetV3, else 0.3 on EuroSAT and 0.9 on CIFAR, which any other data set shares. Augmentation and normalisation, of which the
   * paper says nothing, are those that the published code has for CIFAR, at the images' own size.
   */
  public static Recipe paper(String architecture, String dataset, int imageSize) {
    return Presets.paper(architecture, dataset, imageSize);
  }

  /**
   * What the paper's published code does when run as it is: 50 epochs, batch 64, learning rate 1e-4, weight decay 0.9 for every network;
   * 10,000 images split off and never used (there unseeded, here by the seed); EuroSAT turned, flipped, resized to 256 and cropped to
   * 224, without normalisation; tests in training mode, of which the batch statistics of an evaluation then speak.
   */
  public static Recipe repo(String architecture, String dataset, int imageSize) {
    return Presets.repo(architecture, dataset, imageSize);
  }

  /** A short recipe for small sets of small images: what the demo trains with. */
  public static Recipe quick(int imageSize) {
    return Presets.quick("resnet50", Presets.OTHER, imageSize);
  }

  /**
   * Finds a preset.
   *
   * @param name one of {@link #PRESETS}
   * @throws InvalidInputException if there is none of that name; the nearest are offered
   */
  public static Recipe named(String name, String architecture, String dataset, int imageSize) {
    return Presets.named(name, architecture, dataset, imageSize);
  }

  /** The built-in data set that has these classes, in any order, or {@code other}. */
  public static String datasetOf(Collection<String> classNames) {
    return Presets.datasetOf(classNames);
  }

  /** Height and width of what the network sees, in pixels. */
  public int inputSize() {
    return augmentation.crop() > 0 ? augmentation.crop() : imageSize;
  }

  /** The same with some fields replaced, by the keys of {@link #fromTree}; {@code preset} and {@code dataset} stay. */
  public Recipe with(Map<String, Object> fields) {
    return RecipeTree.override(this, Tree.of("recipe", fields, RecipeTree.FIELDS));
  }

  /** The same with another number of epochs. */
  public Recipe withEpochs(int value) {
    return with(Map.of("epochs", value));
  }

  /** The same with another seed. */
  public Recipe withSeed(long value) {
    return with(Map.of("seed", value));
  }

  /** The same in another precision. */
  public Recipe withPrecision(Precision value) {
    return with(Map.of("precision", value.id()));
  }

  /**
   * The learning rate of an epoch: cosine annealing to 0 over all epochs, stepped once per epoch (torch's CosineAnnealingLR with T_max =
   * epochs). With a warm-up, torch's SequentialLR of LinearLR (from 1 % on, total_iters = warm-up epochs) and CosineAnnealingLR over the
   * rest.
   *
   * @param epoch from 0
   */
  public double learningRateAt(int epoch) {
    int warmup = options.warmupEpochs();
    if (epoch < warmup) {
      return learningRate * (WARMUP_START + (1 - WARMUP_START) * epoch / warmup);
    }
    return learningRate * (1 + Math.cos(Math.PI * (epoch - warmup) / (epochs - warmup))) / 2;
  }

  /**
   * Reads a recipe from a parsed YAML or JSON tree: {@code preset}, {@code dataset} and any field to override.
   *
   * @param dataset of the images, where the tree names none
   * @param imageSize of the images, where the tree names none
   * @throws InvalidInputException naming the key that is unknown or wrong
   */
  public static Recipe fromTree(Tree tree, String dataset, int imageSize) {
    return RecipeTree.read(tree, dataset, imageSize);
  }

  /** Every field, as {@link #fromTree} reads it back. */
  public Map<String, Object> toTree() {
    return RecipeTree.write(this);
  }

  private static void positive(String what, int value) {
    if (value <= 0) {
      throw new InvalidInputException(what + " must be positive, got " + value);
    }
  }
}
