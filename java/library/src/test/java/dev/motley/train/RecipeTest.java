// SPDX-License-Identifier: Apache-2.0
package dev.motley.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.motley.DropRates;
import dev.motley.InvalidInputException;
import dev.motley.Normalisation;
import dev.motley.Precision;
import dev.motley.Stem;
import dev.motley.config.Tree;
import dev.motley.config.Yaml;
import dev.motley.tricks.ClassList;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class RecipeTest {

  @TempDir private Path folder;

  /** A value of each key that no preset has. */
  private static final Map<String, Object> OTHER =
      Map.ofEntries(
          Map.entry("preset", "paper"),
          Map.entry("dataset", "eurosat"),
          Map.entry("architecture", "resnet101"),
          Map.entry("stem", "cifar"),
          Map.entry("dropout", 0.3),
          Map.entry("stochastic-depth", 0),
          Map.entry("image-size", 64),
          Map.entry("epochs", 7),
          Map.entry("batch", 9),
          Map.entry("learning-rate", 0.5),
          Map.entry("weight-decay", 0.25),
          Map.entry("held-out", 11),
          Map.entry("warmup-epochs", 3),
          Map.entry("label-smoothing", 0.125),
          Map.entry("rotation", 45),
          Map.entry("mixup", 0.2),
          Map.entry("ema", 0.99),
          Map.entry("clip-norm", 1.5),
          Map.entry("test-in-training", true),
          Map.entry("randaugment", 2),
          Map.entry("randaugment-magnitude", 12),
          Map.entry("crop-scale-min", 0.5),
          Map.entry("crop-scale-max", 0.75),
          Map.entry("crop-ratio-min", 0.5),
          Map.entry("crop-ratio-max", 2),
          Map.entry("flip", 0),
          Map.entry("normalisation", "unit"),
          Map.entry("precision", "bf16"),
          Map.entry("seed", -3));

  private static Recipe read(Map<String, Object> tree) {
    return Recipe.fromTree(Tree.of("recipe", tree, Recipe.KEYS), "other", 32);
  }

  @Test
  void nothingGivenIsTheQuickRecipe() {
    assertThat(read(Map.of())).isEqualTo(Recipe.quick(32));
    assertThat(read(Map.of("preset", "paper"))).isEqualTo(Recipe.paper("resnet50", "other", 32));
    assertThat(read(Map.of("preset", "repo"))).isEqualTo(Recipe.repo("resnet50", "other", 32));
  }

  @Test
  void everyKeySetsItsField() {
    var keys = new ArrayList<>(Recipe.KEYS);
    keys.removeAll(List.of("resize", "crop")); // not together with a crop scale
    assertThat(OTHER).containsOnlyKeys(keys);
    Recipe all = read(OTHER);
    assertThat(all)
        .isEqualTo(
            new Recipe(
                "paper",
                "eurosat",
                "resnet101",
                Stem.CIFAR,
                new DropRates(0.3, 0),
                64,
                7,
                9,
                0.5,
                0.25,
                11,
                new Augmentation(0.5, 0.75, 0.5, 2, 0, 45, 0, 0),
                Normalisation.UNIT,
                true,
                new TrainingOptions(3, 0.125, 0.2, 0.99, 1.5, 2, 12),
                Precision.BF16,
                -3));
    Recipe cropped = read(Map.of("crop-scale-min", 1, "resize", 256, "crop", 224));
    assertThat(cropped.augmentation().resize()).isEqualTo(256);
    assertThat(cropped.inputSize()).isEqualTo(224);
    assertThat(cropped.imageSize()).isEqualTo(32);
    for (Map.Entry<String, Object> one : OTHER.entrySet()) {
      assertThat(read(Map.of(one.getKey(), one.getValue())))
          .as(one.getKey() + " alone")
          .isNotEqualTo(Recipe.quick(32));
    }
  }

  @Test
  void itIsReadBackAsItWasWritten() throws IOException {
    Recipe own = read(Map.of("normalisation", Map.of("mean", List.of(0.5, 0.25, 0), "std", List.of(0.1, 0.2, 1))));
    assertThat(own.normalisation()).isEqualTo(new Normalisation(0.5f, 0.25f, 0, 0.1f, 0.2f, 1));
    var all = new ArrayList<Recipe>(List.of(Recipe.quick(32), read(OTHER), own));
    for (String preset : Recipe.PRESETS) {
      for (String dataset : Recipe.DATASETS) {
        for (String architecture : Recipe.ARCHITECTURES) {
          all.add(Recipe.named(preset, architecture, dataset, 64));
        }
      }
    }
    for (Recipe recipe : all) {
      assertThat(recipe.toTree()).containsOnlyKeys(Recipe.KEYS);
      Map<String, Object> yaml = written(recipe);
      assertThat(Recipe.fromTree(Tree.of("recipe", yaml, Recipe.KEYS), "cifar100", 99)).isEqualTo(recipe);
    }
  }

  /** Through a file, as a training's folder has it. */
  private Map<String, Object> written(Recipe recipe) throws IOException {
    Path file = folder.resolve("recipe.yaml");
    Files.writeString(file, Yaml.write(recipe.toTree()));
    return Yaml.read(file);
  }

  /** Section 4 of the paper; train_network.py of its published code. */
  @Test
  void thePresetsAreThePapersAndItsCodes() {
    for (String architecture : Recipe.ARCHITECTURES) {
      for (String dataset : Recipe.DATASETS) {
        Recipe paper = Recipe.named("paper", architecture, dataset, 64);
        assertThat(List.of(paper.epochs(), paper.batch(), paper.heldOut())).containsExactly(200, 128, 0);
        assertThat(paper.learningRate()).isEqualTo(2e-4);
        double decay = architecture.startsWith("mobilenet") ? 0.1 : dataset.equals("eurosat") ? 0.3 : 0.9;
        assertThat(paper.weightDecay()).as(architecture + " on " + dataset).isEqualTo(decay);
        assertThat(paper.augmentation()).isEqualTo(new Augmentation(0.08, 1, 0.75, 4.0 / 3, 0.5, 0, 0, 0));
        assertThat(paper.normalisation()).isEqualTo(Normalisation.IMAGENET);
        assertThat(paper.inputSize()).isEqualTo(64);

        Recipe repo = Recipe.named("repo", architecture, dataset, 64);
        assertThat(List.of(repo.epochs(), repo.batch(), repo.heldOut())).containsExactly(50, 64, 10_000);
        assertThat(repo.learningRate()).isEqualTo(1e-4);
        assertThat(repo.weightDecay()).isEqualTo(0.9);
        assertThat(repo.testInTraining()).isTrue();
        assertThat(paper.testInTraining()).isFalse();
        boolean satellite = dataset.equals("eurosat");
        assertThat(repo.augmentation())
            .isEqualTo(satellite ? new Augmentation(1, 1, 0.75, 4.0 / 3, 0.5, 90, 256, 224) : paper.augmentation());
        assertThat(repo.normalisation()).isEqualTo(satellite ? Normalisation.UNIT : Normalisation.IMAGENET);
        assertThat(repo.inputSize()).isEqualTo(satellite ? 224 : 64);
        assertThat(repo.imageSize()).isEqualTo(64);

        for (String preset : Recipe.PRESETS) {
          assertThat(Recipe.named(preset, architecture, dataset, 64).options()).isEqualTo(TrainingOptions.OFF);
        }
      }
    }
  }

  @Test
  void theClassesTellTheDataSet() {
    for (String name : ClassList.presets()) {
      assertThat(Recipe.datasetOf(ClassList.preset(name).labels())).isEqualTo(name);
      assertThat(Recipe.datasetOf(ClassList.preset(name).folders().reversed())).isEqualTo(name);
    }
    List<String> cifar10 = ClassList.preset("cifar10").labels();
    assertThat(Recipe.datasetOf(cifar10.subList(0, 9))).isEqualTo("other");
    assertThat(Recipe.datasetOf(List.of("dark", "light"))).isEqualTo("other");
  }

  /** torch 2: SequentialLR of LinearLR(start_factor=0.01, total_iters=4) and CosineAnnealingLR(T_max=8), milestone 4, on a rate of 1. */
  @Test
  void aWarmUpRisesInAStraightLineAndTheCosineTakesTheRest() {
    Recipe recipe = Recipe.quick(32).with(Map.of("epochs", 12, "learning-rate", 1, "warmup-epochs", 4));
    double[] expected = {0.01, 0.2575, 0.505, 0.7525, 1, 0.96193977, 0.85355339, 0.69134172, 0.5, 0.30865828, 0.14644661, 0.03806023};
    for (int epoch = 0; epoch < 12; epoch++) {
      assertThat(recipe.learningRateAt(epoch)).as("epoch " + epoch).isCloseTo(expected[epoch], within(1e-8));
    }
    Recipe none = recipe.with(Map.of("warmup-epochs", 0));
    assertThat(none.learningRateAt(6)).isCloseTo(0.5, within(1e-12));
    assertThatThrownBy(() -> recipe.with(Map.of("epochs", 4)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("4 warm-up epochs must be fewer than the 4 epochs");
  }

  @Test
  void aNormalisationIsThreeMeansAndThreeDeviations() {
    assertThatThrownBy(() -> read(Map.of("normalisation", Map.of("mean", List.of(0, 0, 0)))))
        .hasMessage("'recipe.normalisation.std' must be a list of three numbers, found nothing");
    assertThatThrownBy(() -> read(Map.of("normalisation", Map.of("mean", List.of(0, 0), "std", List.of(1, 1, 1)))))
        .hasMessage("'recipe.normalisation.mean' must be a list of three numbers, found [0, 0]");
    assertThatThrownBy(() -> read(Map.of("normalisation", Map.of("mean", List.of(0, 0, 0), "std", List.of(1, 0, 1)))))
        .hasMessage("a standard deviation must be above 0, got 0.0");
  }

  @Test
  void anUnknownKeyIsNamedWithTheNearest() {
    assertThatThrownBy(() -> read(Map.of("epoch", 3)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith("unknown key of 'recipe' 'epoch'; did you mean 'epochs'");
  }

  static List<Arguments> wrong() {
    var all = new ArrayList<Arguments>();
    for (String key : Recipe.KEYS) {
      boolean text = OTHER.get(key) instanceof String;
      String expected = text ? "must be a text" : OTHER.get(key) instanceof Boolean ? "must be true or false" : "number";
      all.add(Arguments.of(key, text ? List.of("a") : "many", expected));
      all.add(Arguments.of(key, Map.of("a", 1), key.equals("normalisation") ? "known: mean, std" : "found {a=1}"));
    }
    for (String key : List.of("epochs", "batch", "image-size", "learning-rate")) {
      all.add(Arguments.of(key, 0, key.replace('-', ' ')));
      all.add(Arguments.of(key, -1, key.startsWith("learning") ? "learning rate" : key));
    }
    for (String key : List.of("epochs", "batch", "image-size", "seed")) {
      all.add(Arguments.of(key, 1.5, "a whole number"));
    }
    for (String key : List.of("learning-rate", "weight-decay", "label-smoothing", "flip", "rotation", "mixup", "ema", "clip-norm")) {
      all.add(Arguments.of(key, Double.NaN, key.replace('-', ' ')));
      all.add(Arguments.of(key, 1_000_001, key.replace('-', ' ')));
    }
    for (String key : List.of("dropout", "stochastic-depth")) {
      all.add(Arguments.of(key, -1, "a number in [0, 1) or published"));
      all.add(Arguments.of(key, 1, key.replace('-', ' ') + " must be in [0, 1), got 1"));
      all.add(Arguments.of(key, Double.NaN, "a number in [0, 1) or published"));
      all.add(Arguments.of(key, "own", "a number in [0, 1) or published"));
    }
    all.add(Arguments.of("crop-scale-min", 0, "crop scale must satisfy"));
    all.add(Arguments.of("crop-scale-max", 1.5, "crop scale must satisfy"));
    all.add(Arguments.of("crop-ratio-min", 3, "crop ratio must satisfy"));
    all.add(Arguments.of("crop-ratio-max", Double.NaN, "crop ratio must satisfy"));
    all.add(Arguments.of("preset", "papr", "unknown recipe 'papr'; did you mean 'paper'"));
    all.add(Arguments.of("preset", "rep", "unknown recipe 'rep'; did you mean 'repo'"));
    all.add(Arguments.of("dataset", "cifar", "unknown data set 'cifar'; did you mean 'cifar10' or 'cifar100'"));
    all.add(Arguments.of("resize", 256, "resize and crop must be 0, or crop 1 or more and resize not below it, got resize 256 and crop 0"));
    all.add(Arguments.of("crop", 224, "got resize 0 and crop 224"));
    all.add(Arguments.of("warmup-epochs", 20, "20 warm-up epochs must be fewer than the 20 epochs"));
    all.add(Arguments.of("held-out", -1, "held-out"));
    all.add(Arguments.of("randaugment", 17, "randaugment must be in [0, 16] operations, got 17"));
    all.add(Arguments.of("randaugment-magnitude", 31, "randaugment magnitude must be in [0, 30], got 31"));
    all.add(Arguments.of("architecture", "resnet", "unknown architecture"));
    all.add(Arguments.of("normalisation", "none", "unknown normalisation"));
    all.add(Arguments.of("precision", "fp8", "unknown precision 'fp8' (known: fp32, bf16, fp16)"));
    all.add(Arguments.of("precision", "fp16", "precision fp16 is for diffusion models: classifiers compute in fp32 or bf16"));
    return all;
  }

  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("wrong")
  void aWrongValueIsOneLineThatSaysWhatWasExpected(String key, Object value, String message) {
    assertThatThrownBy(() -> read(Map.of(key, value)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(message)
        .message()
        .doesNotContain("\n");
  }
}
