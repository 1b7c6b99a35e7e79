// SPDX-License-Identifier: Apache-2.0
package dev.motley.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.InvalidInputException;
import dev.motley.testing.Shared;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RunConfigTest {

  private static RunConfig sets(String... names) {
    Map<String, Object> plan = Map.of("classes", "fashion-mnist", "per-class", 1);
    List<Object> sets = Stream.of(names).<Object>map(name -> Map.of("name", name, "plan", plan)).toList();
    return RunConfig.of(Map.of("sets", sets), Embedded.in(Shared.repository()));
  }

  @Test
  void aSetsFolderIsNamedAfterIt() {
    assertThat(sets("Base class", "Locks!").sets())
        .extracting(RunConfig.SetConfig::folder)
        .containsExactly("base-class", "locks");
  }

  @ParameterizedTest
  @CsvSource({"Lock", "lock", "'(LOCK)'"})
  void theNameOfTheRunsOwnFileIsRefused(String name) {
    assertThatThrownBy(() -> sets("Base", name))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("'sets' has the name '%s', but 'lock' is a file of the run's own: choose another name", name);
  }

  @Test
  void namesThatGiveNoFolderOrTheSameAreRefused() {
    for (String[] names : new String[][] {{"Base", "base!"}, {"?"}}) {
      assertThatThrownBy(() -> sets(names))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageEndingWith("twice, or it has no letter or digit");
    }
  }
}
