// SPDX-License-Identifier: Apache-2.0
package dev.motley.tricks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.motley.InvalidInputException;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ClassListTest {

  @Test
  void cifar10HasTheLabelOrder() {
    assertThat(ClassList.preset("cifar10").classes())
        .extracting(ClassName::prompt)
        .containsExactly(
            "airplane",
            "automobile",
            "bird",
            "cat",
            "deer",
            "dog",
            "frog",
            "horse",
            "ship",
            "truck");
  }

  @Test
  void cifar100HasAHundredSortedNamesAndSpeaksUnderscoresAsSpaces() {
    ClassList list = ClassList.preset("cifar100");
    assertThat(list.size()).isEqualTo(100);
    assertThat(list.classes()).extracting(ClassName::folder).isSorted();
    assertThat(list.classes().get(1)).isEqualTo(new ClassName(1, "aquarium_fish", "aquarium fish"));
    assertThat(list.classes().get(41).folder()).isEqualTo("lawn_mower");
    assertThat(list.classes().get(99).folder()).isEqualTo("worm");
  }

  @Test
  void eurosatKeepsFolderAndPromptApart() {
    ClassList list = ClassList.preset("eurosat");
    assertThat(list.classes()).extracting(ClassName::folder).isSorted();
    assertThat(list.classes().get(9)).isEqualTo(new ClassName(9, "SeaLake", "Sea/Lake"));
    assertThat(list.classes().get(2))
        .isEqualTo(new ClassName(2, "HerbaceousVegetation", "Herbaceous Vegetation"));
    assertThat(list.withSpelling("clip").classes().get(2))
        .isEqualTo(new ClassName(2, "HerbaceousVegetation", "brushland or shrubland"));
    assertThat(list.withSpelling("land-use").classes().get(9).prompt()).isEqualTo("Sea or Lake");
    assertThat(ClassList.spellings("eurosat")).containsExactly("paper", "clip", "land-use");
    assertThat(ClassList.spellings("cifar10")).isEmpty();
  }

  @Test
  void fashionMnistSpeaksAsTheEmbeddedModelWasTaught() {
    assertThat(ClassList.preset("fashion-mnist").classes())
        .extracting(ClassName::prompt)
        .containsExactly(
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
  }

  @ParameterizedTest
  @ValueSource(strings = {"cifar-10", "CIFAR10", "cifar", "cifra10"})
  void anUnknownPresetOffersTheNearest(String name) {
    refused(() -> ClassList.preset(name))
        .withMessageContaining("unknown class preset '" + name + "'")
        .withMessageContaining("did you mean 'cifar10'");
  }

  @Test
  void anUnknownPresetFarFromAllListsThem() {
    refused(() -> ClassList.preset("imagenet-1k"))
        .withMessage(
            "unknown class preset 'imagenet-1k' (known: cifar10, cifar100, eurosat,"
                + " fashion-mnist)");
  }

  @Test
  void refusesEmptyAndDuplicateNames() {
    refused(() -> ClassList.of("own", List.of())).withMessageContaining("'own' is empty");
    refused(() -> ClassList.of("own", List.of("cat", " ")))
        .withMessage("class 1 has an empty name");
    refused(() -> ClassList.of("own", List.of("cat", "dog", "Cat")))
        .withMessage("class list 'own': classes 0 and 2 have the same folder spelling 'Cat'");
    refused(() -> ClassList.of("own", List.of("sea_lion", "sea lion")))
        .withMessage("class list 'own': classes 0 and 1 have the same prompt spelling 'sea lion'");
    // The same letters, composed and decomposed.
    refused(() -> ClassList.of("own", List.of("caf\u00e9", "cafe\u0301")))
        .withMessageContaining("same folder spelling");
    refused(() -> new ClassName(0, "cat", "\t")).withMessageContaining("empty prompt spelling");
  }

  @ParameterizedTest
  @ValueSource(strings = {"a/b", "..", "a\\b", "a\nb", " a"})
  void refusesNamesThatCannotBeFolders(String folder) {
    refused(() -> ClassName.of(3, folder))
        .withMessageContaining("class 3")
        .withMessageContaining("cannot be a folder name")
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n"));
  }

  @Test
  void refusesAnotherOrderThanTheLabels() {
    refused(() -> new ClassList("own", List.of(ClassName.of(1, "cat"))))
        .withMessageContaining("index 1 at position 0");
  }

  @Test
  void otherPromptsMustNameEveryClass() {
    ClassList own = ClassList.of("own", List.of("cat", "dog"));
    assertThat(own.withPrompts(Map.of("cat", "kitten", "dog", "puppy")).classes())
        .extracting(ClassName::prompt)
        .containsExactly("kitten", "puppy");
    refused(() -> own.withPrompts(Map.of("cat", "kitten"))).withMessageContaining("'dog'");
    refused(() -> own.withPrompts(Map.of("cat", "kitten", "dgo", "puppy")))
        .withMessageContaining("did you mean 'dog'");
    refused(() -> own.withSpelling("clip")).withMessageContaining("unknown prompt spelling");
  }

  @Test
  void takesNamesOfAnyScript() {
    ClassList list = ClassList.of("own", List.of("猫", "Straße", "кошка", "🐈", "İstanbul"));
    assertThat(list.classes()).extracting(ClassName::prompt).contains("猫", "🐈");
  }

  private static org.assertj.core.api.ThrowableAssertAlternative<InvalidInputException> refused(
      ThrowingCallable call) {
    return assertThatExceptionOfType(InvalidInputException.class).isThrownBy(call);
  }
}
