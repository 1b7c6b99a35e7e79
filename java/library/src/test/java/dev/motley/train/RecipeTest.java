// SPDX-License-Identifier: Apache-2.0
package dev.motley.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.InvalidInputException;
import dev.motley.Normalisation;
import dev.motley.Precision;
import dev.motley.config.Tree;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class RecipeTest {

  /** A value of each key that no preset has. */
  private static final Map<String, Object> OTHER =
      Map.ofEntries(
          Map.entry("preset", "paper"),
          Map.entry("architecture", "resnet101"),
          Map.entry("image-size", 64),
          Map.entry("epochs", 7),
          Map.entry("batch", 9),
          Map.entry("learning-rate", 0.5),
          Map.entry("weight-decay", 0.25),
          Map.entry("label-smoothing", 0.125),
          Map.entry("crop-scale-min", 0.5),
          Map.entry("crop-scale-max", 0.75),
          Map.entry("crop-ratio-min", 0.5),
          Map.entry("crop-ratio-max", 2),
          Map.entry("flip", 0),
          Map.entry("normalisation", "unit"),
          Map.entry("precision", "bf16"),
          Map.entry("seed", -3));

  private static Recipe read(Map<String, Object> tree) {
    return Recipe.fromTree(Tree.of("recipe", tree, Recipe.KEYS), 32);
  }

  @Test
  void nothingGivenIsTheQuickRecipe() {
    assertThat(read(Map.of())).isEqualTo(Recipe.quick(32));
    assertThat(read(Map.of("preset", "paper"))).isEqualTo(Recipe.paper(32));
  }

  @Test
  void everyKeySetsItsField() {
    assertThat(OTHER).containsOnlyKeys(Recipe.KEYS);
    Recipe all = read(OTHER);
    assertThat(all)
        .isEqualTo(
            new Recipe(
                "resnet101",
                64,
                7,
                9,
                0.5,
                0.25,
                0.125,
                new Augmentation(0.5, 0.75, 0.5, 2, 0),
                Normalisation.UNIT,
                Precision.BF16,
                -3));
    for (Map.Entry<String, Object> one : OTHER.entrySet()) {
      assertThat(read(Map.of(one.getKey(), one.getValue())))
          .as(one.getKey() + " alone")
          .isNotEqualTo(Recipe.quick(32));
    }
  }

  @Test
  void itIsReadBackAsItWasWritten() {
    Recipe own = read(Map.of("normalisation", Map.of("mean", List.of(0.5, 0.25, 0), "std", List.of(0.1, 0.2, 1))));
    assertThat(own.normalisation()).isEqualTo(new Normalisation(0.5f, 0.25f, 0, 0.1f, 0.2f, 1));
    for (Recipe recipe : List.of(Recipe.quick(32), Recipe.paper(224), read(OTHER), own)) {
      assertThat(Recipe.fromTree(Tree.of("recipe", recipe.toTree(), Recipe.KEYS), 99)).isEqualTo(recipe);
    }
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
      all.add(Arguments.of(key, text ? List.of("a") : "many", text ? "must be a text" : "number"));
      all.add(Arguments.of(key, Map.of("a", 1), key.equals("normalisation") ? "known: mean, std" : "found {a=1}"));
    }
    for (String key : List.of("epochs", "batch", "image-size", "learning-rate")) {
      all.add(Arguments.of(key, 0, key.replace('-', ' ')));
      all.add(Arguments.of(key, -1, key.startsWith("learning") ? "learning rate" : key));
    }
    for (String key : List.of("epochs", "batch", "image-size", "seed")) {
      all.add(Arguments.of(key, 1.5, "a whole number"));
    }
    for (String key : List.of("learning-rate", "weight-decay", "label-smoothing", "flip")) {
      all.add(Arguments.of(key, Double.NaN, key.replace('-', ' ')));
      all.add(Arguments.of(key, 1000, key.replace('-', ' ')));
    }
    all.add(Arguments.of("crop-scale-min", 0, "crop scale must satisfy"));
    all.add(Arguments.of("crop-scale-max", 1.5, "crop scale must satisfy"));
    all.add(Arguments.of("crop-ratio-min", 3, "crop ratio must satisfy"));
    all.add(Arguments.of("crop-ratio-max", Double.NaN, "crop ratio must satisfy"));
    all.add(Arguments.of("preset", "papr", "unknown recipe 'papr'; did you mean 'paper'"));
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
