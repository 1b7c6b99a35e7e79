// SPDX-License-Identifier: Apache-2.0
package dev.motley.tricks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.motley.InvalidInputException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlanSpecTest {

  private static PlanSpec read(String yaml) {
    try {
      return PlanSpec.fromTree(
          new YAMLMapper().readValue(yaml, new TypeReference<Map<String, Object>>() {}));
    } catch (JsonProcessingException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void aNameIsEnough() {
    assertThat(read("classes: cifar100"))
        .isEqualTo(PlanSpec.of(DatasetPreset.named("cifar100"), Fidelity.PAPER));
    assertThat(read("{classes: eurosat, preset: repo}"))
        .isEqualTo(PlanSpec.of(DatasetPreset.named("eurosat"), Fidelity.REPO));
  }

  @Test
  void everythingCanBeSaid() {
    PlanSpec spec =
        read(
            """
            preset: paper
            classes:
              name: lakes
              list: [forest, {folder: SeaLake, prompt: sea or lake}, 7]
            prompts:
              base-class: a view of a {class}
              domains: [photo, oil painting]
              articles: by-sound
              negative: text
            tricks: [base-class, multi-domain]
            per-class: 10
            budget: equal
            guidance: {fixed: 3, low: 1, high: 2.5}
            sampling: {seed: -5, noise: rows, source: torch, steps: 20, eta: 0.5}
            width: 256
            height: 128
            rounding: truncate
            """);
    assertThat(spec.classes().classes())
        .containsExactly(
            new ClassName(0, "forest", "forest"),
            new ClassName(1, "SeaLake", "sea or lake"),
            new ClassName(2, "7", "7"));
    assertThat(spec.mix())
        .isEqualTo(new TrickMix(Map.of(Trick.BASE_CLASS, 5, Trick.MULTI_DOMAIN, 5)));
    assertThat(spec.guidance())
        .isEqualTo(new GuidanceRule(3, 1, 2.5f, GuidanceDraw.REAL_PER_IMAGE));
    assertThat(spec.sampling())
        .isEqualTo(new PlanSpec.Sampling(-5, NoiseSharing.ROWS, NoiseSource.TORCH, 20, 0.5));
    assertThat(
            spec.prompts()
                .prompt(Trick.MULTI_DOMAIN, spec.classes().classes().get(0), "oil painting"))
        .isEqualTo("an oil painting of a forest");
    assertThat(PlanSpec.fromTree(spec.toTree())).isEqualTo(spec);
  }

  @Test
  void allCombinedIsWhatThePaperCombined() {
    assertThat(read("{classes: eurosat, tricks: all-combined}").mix().imagesPerClass())
        .containsOnlyKeys(Trick.BASE_CLASS, Trick.MULTI_DOMAIN, Trick.RANDOM_GUIDANCE);
    assertThat(read("{classes: [a, b], tricks: all-combined, per-class: 8, budget: equal}").mix())
        .isEqualTo(TrickMix.equalBudget(java.util.List.of(Trick.values()), 8));
    assertThat(read("{classes: eurosat, tricks: best}").mix())
        .isEqualTo(TrickMix.only(Trick.RANDOM_GUIDANCE, 5400));
    assertThat(read("{classes: cifar10, tricks: {class-prompt: 3}}").mix())
        .isEqualTo(TrickMix.only(Trick.CLASS_PROMPT, 3));
    assertThat(
            read("{classes: {name: eurosat, spelling: clip}}").classes().classes().get(8).prompt())
        .isEqualTo("river");
  }

  /** A class list that merely borrows a built-in's name gets no preset of its sizes. */
  @Test
  void aBorrowedNameIsNoPreset() {
    PlanSpec spec = read("classes: {name: cifar10, list: [cat, dog]}");
    assertThat(spec.mix().totalPerClass()).isEqualTo(1000);
    assertThat(spec.prompts().articles()).isEqualTo(Articles.BY_SOUND);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{} | 'classes' is missing",
        "{classes: cifar11} | did you mean 'cifar10'",
        "{classes: []} | is empty",
        "{classes: [cat, ~]} | class 1 has an empty name",
        "{classes: [cat, cat]} | same folder spelling 'cat'",
        "{classes: [[cat]]} | 'classes[0]' must be a text, found [cat]",
        "{classes: [{prompt: cat}]} | 'classes[0]' must be a class with 'folder'",
        "{clases: cifar10} | unknown key 'clases'; did you mean 'classes'?",
        "{classes: cifar10, tricks: multidomain} | did you mean 'multi-domain'?",
        "{classes: cifar10, tricks: [random_guidance]} | did you mean 'random-guidance'?",
        "{classes: cifar10, tricks: {base-class: x}} | 'tricks.base-class' must be a whole number",
        "{classes: cifar10, tricks: {base-class: 1}, per-class: 3} | 'per-class' cannot be given"
            + " here",
        "{classes: [a], tricks: best} | 'tricks: best' needs one of the class lists",
        "{classes: cifar10, per-class: 0} | at least 1 per class",
        "{classes: cifar10, per-class: -4} | 'per-class' must be a whole number from 0",
        "{classes: cifar10, per-class: 1.5} | 'per-class' must be a whole number",
        "{classes: cifar10, budget: half} | unknown budget 'half'",
        "{classes: cifar10, guidance: {fixed: 1.0e+39}} | guidance must be finite",
        "{classes: cifar10, guidance: {low: 6}} | guidance range is empty",
        "{classes: cifar10, guidance: {low: 1.5, draw: integer-per-run}} | needs whole numbers",
        "{classes: cifar10, guidance: {scale: 2}} | unknown key of 'guidance' 'scale'",
        "{classes: cifar10, sampling: {steps: 0}} | steps must be from 1 to 1000, found 0",
        "{classes: cifar10, sampling: {eta: 2}} | eta must be from 0 to 1",
        "{classes: cifar10, sampling: {seed: high}} | 'sampling.seed' must be a whole number, found"
            + " high",
        "{classes: cifar10, width: 500} | width must be a multiple of 8",
        "{classes: cifar10, preset: papr} | did you mean 'paper'",
        "{classes: cifar10, prompts: {domains: [photo, photo]}} | listed twice",
        "{classes: cifar10, prompts: {base-class: a dog}} | lacks {class}",
        "{classes: cifar10, prompts: ~} | 'prompts' must be a value, found nothing",
      })
  void refusesBadInputInOneLine(String yaml, String message) {
    assertThatThrownBy(() -> read(yaml))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(message)
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n"));
  }
}
