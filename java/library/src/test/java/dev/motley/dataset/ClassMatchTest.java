// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import static org.assertj.core.api.Assertions.assertThat;

import dev.motley.tricks.ClassList;
import dev.motley.tricks.ClassName;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ClassMatchTest {
  private static final List<String> EUROSAT = ClassList.preset("eurosat").labels();

  private static List<String> with(List<String> names, String one, String other) {
    var changed = new ArrayList<>(names);
    changed.set(names.indexOf(one), other);
    return changed;
  }

  @Test
  void namesMatchInAnyOrder() {
    assertThat(ClassMatch.indices(List.of("cat", "dog"), List.of("dog", "cat"))).hasValue(new int[] {1, 0});
    assertThat(ClassMatch.indices(List.of("cat", "dog"), List.of("dog", "cow"))).isEmpty();
    assertThat(ClassMatch.indices(List.of("cat", "dog"), List.of("cat"))).isEmpty();
    assertThat(ClassMatch.indices(List.of("cat"), List.of("cat", "dog"))).isEmpty();
    assertThat(ClassMatch.indices(List.of("a b", "a_b"), List.of("a b", "a_b"))).as("no telling them apart").isEmpty();
    assertThat(ClassMatch.indices(List.of("+", "-"), List.of("-", "+"))).hasValue(new int[] {1, 0});
  }

  @Test
  void cifar100MatchesItsFolders() {
    List<String> folders = ClassList.preset("cifar100").folders();
    List<String> labels = ClassList.preset("cifar100").labels();
    assertThat(labels).contains("aquarium fish", "sea");
    assertThat(folders).contains("aquarium_fish");
    int[] same = IntStream.range(0, 100).toArray();
    assertThat(ClassMatch.indices(labels, folders)).hasValue(same);
    assertThat(ClassMatch.indices(folders, labels)).hasValue(same);
  }

  /** Folder, index and prompt of a class are three things: CLIP's and the paper's prompts find the same folders. */
  @Test
  void euroSatMatchesHoweverItIsSpelled() {
    int[] same = IntStream.range(0, 10).toArray();
    for (String spelling : ClassList.spellings("eurosat")) {
      List<String> prompts =
          ClassList.preset("eurosat").withSpelling(spelling).classes().stream().map(ClassName::prompt).toList();
      assertThat(ClassMatch.indices(EUROSAT, prompts)).as(spelling).hasValue(same);
      var backwards = new ArrayList<>(prompts);
      Collections.reverse(backwards);
      assertThat(ClassMatch.indices(EUROSAT, backwards)).as(spelling)
          .hasValue(IntStream.range(0, 10).map(i -> 9 - i).toArray());
    }
    assertThat(ClassMatch.indices(EUROSAT, with(EUROSAT, "SeaLake", "Sea"))).hasValue(same);
    assertThat(ClassMatch.indices(EUROSAT, with(EUROSAT, "SeaLake", "Lake"))).isEmpty();
  }
}
