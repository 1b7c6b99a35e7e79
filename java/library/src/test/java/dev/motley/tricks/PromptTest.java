// SPDX-License-Identifier: Apache-2.0
package dev.motley.tricks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PromptTest {

  /**
   * The paper's section 4.3, literally; columns: dataset, fidelity, trick, class, domain, prompt.
   */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "-",
      value = {
        "cifar10 | paper | base-class | 0 | - | an image of a airplane",
        "cifar10 | paper | base-class | 1 | - | an image of a automobile",
        "cifar10 | paper | class-prompt | 9 | - | truck",
        "cifar10 | paper | random-guidance | 3 | - | an image of a cat",
        "cifar10 | paper | multi-domain | 3 | photo | a photo of a cat",
        "cifar10 | paper | multi-domain | 0 | digital art image | a digital art image of a"
            + " airplane",
        "cifar10 | paper | multi-domain | 5 | 3D rendering | a 3D rendering of a dog",
        "cifar100 | paper | base-class | 1 | - | an image of a aquarium fish",
        "cifar100 | paper | class-prompt | 83 | - | sweet pepper",
        "cifar100 | paper | multi-domain | 0 | stick figure | a stick figure of a apple",
        "eurosat | paper | base-class | 0 | - | an image of a Annual Crop",
        "eurosat | paper | random-guidance | 9 | - | an image of a Sea/Lake",
        "eurosat | paper | multi-domain | 2 | realistic photo"
            + " | a satellite photo of a Herbaceous Vegetation in the style of a realistic photo",
        "cifar10 | repo | random-guidance | 3 | - | an image of cat",
        "cifar10 | repo | multi-domain | 3 | sketch | a sketch of a cat",
        "cifar10 | repo | class-prompt | 3 | - | cat",
        "fashion-mnist | paper | base-class | 9 | - | an image of an ankle boot",
        "fashion-mnist | paper | base-class | 0 | - | an image of a t-shirt",
        "fashion-mnist | paper | multi-domain | 9 | 3D rendering | a 3D rendering of an ankle boot",
        "fashion-mnist | paper | multi-domain | 8 | rock drawing | a rock drawing of a bag",
      })
  void wordsThePapersPrompts(
      String dataset, String fidelity, String trick, int index, String domain, String expected) {
    PlanSpec spec = PlanSpec.of(DatasetPreset.named(dataset), Fidelity.named(fidelity));
    ClassName name = spec.classes().classes().get(index);
    assertThat(spec.prompts().prompt(Trick.named(trick), name, domain == null ? "" : domain))
        .isEqualTo(expected);
  }

  @Test
  void hasThePapersDomains() {
    assertThat(PromptStyle.objects().domains())
        .containsExactly(
            "photo",
            "drawing",
            "painting",
            "sketch",
            "collage",
            "poster",
            "digital art image",
            "rock drawing",
            "stick figure",
            "3D rendering");
    assertThat(PromptStyle.satellite().domains())
        .containsExactly("realistic photo", "drawing", "painting", "sketch", "3D rendering");
  }

  @Test
  void eurosatsBasePromptMayNameTheSatellite() {
    PromptStyle style = PromptStyle.satellite().withBase(PromptStyle.SATELLITE_BASE);
    ClassName lake = ClassList.preset("eurosat").classes().get(9);
    assertThat(style.prompt(Trick.BASE_CLASS, lake, ""))
        .isEqualTo("a satellite photo of a Sea/Lake");
    assertThat(style.prompt(Trick.RANDOM_GUIDANCE, lake, ""))
        .isEqualTo("a satellite photo of a Sea/Lake");
  }

  @ParameterizedTest
  @CsvSource({
    "apple, an", "bee, a", "hour glass, an", "house, a", "unicorn, a", "unimportant thing, an",
    "university, a", "umbrella, an", "ukulele, a", "user, a", "European, a", "one-way street, a",
    "onion, an", "8-bit game, an", "80s car, an", "18-wheeler, an", "180 turn, a", "11th hour, an",
    "3D rendering, a", "Oil painting, an", "猫, a", "unidentified object, an", "ufo, a",
  })
  void articlesFollowTheSound(String word, String article) {
    var template = new PromptTemplate("a {domain} of a {class}");
    assertThat(template.fill(word, word, Articles.BY_SOUND))
        .isEqualTo(article + " " + word + " of " + article + " " + word);
    assertThat(template.fill(word, word, Articles.AS_WRITTEN))
        .isEqualTo("a " + word + " of a " + word);
  }

  @Test
  void anArticleIsAWordOfItsOwn() {
    assertThat(new PromptTemplate("An {class}, pasta {class}").fill("cat", "", Articles.BY_SOUND))
        .isEqualTo("A cat, pasta cat");
  }

  @Test
  void namesWithBracesAndDollarsStayAsTheyAre() {
    var template = new PromptTemplate("a {domain} of a {class}");
    assertThat(template.fill("{domain} $1", "\\x", Articles.AS_WRITTEN))
        .isEqualTo("a \\x of a {domain} $1");
  }

  @ParameterizedTest
  @ValueSource(strings = {"an image", "a {clas}", "a {class} of {}"})
  void refusesTemplatesWithWrongPlaces(String text) {
    assertThatThrownBy(() -> new PromptTemplate(text))
        .isInstanceOf(dev.motley.InvalidInputException.class)
        .hasMessageContaining("{class}");
  }

  @Test
  void refusesStylesThatDoNotFitTheirTricks() {
    PromptStyle style = PromptStyle.objects();
    assertThatThrownBy(() -> style.with(Trick.BASE_CLASS, "a {domain} of a {class}"))
        .hasMessageContaining("'base-class' must not have {domain}");
    assertThatThrownBy(() -> style.with(Trick.MULTI_DOMAIN, "a photo of a {class}"))
        .hasMessageContaining("'multi-domain' lacks {domain}");
    assertThatThrownBy(() -> style.with(List.of())).hasMessageContaining("at least 1");
    assertThatThrownBy(() -> style.with(List.of("photo", "Photo")))
        .hasMessage("the domain 'Photo' is listed twice");
  }
}
