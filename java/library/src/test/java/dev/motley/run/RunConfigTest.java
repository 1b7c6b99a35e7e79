// SPDX-License-Identifier: Apache-2.0
package dev.motley.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.InvalidInputException;
import dev.motley.config.Yaml;
import dev.motley.dataset.SafetyPolicy;
import dev.motley.testing.Shared;
import dev.motley.train.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RunConfigTest {

  private static RunConfig sets(String... names) {
    Map<String, Object> plan = Map.of("classes", "fashion-mnist", "per-class", 1);
    List<Object> sets = Stream.of(names).<Object>map(name -> Map.of("name", name, "plan", plan)).toList();
    return RunConfig.of(Map.of("sets", sets), Embedded.in(Shared.repository()));
  }

  /** YAML 1.1 calls "off" a boolean. */
  @ParameterizedTest
  @CsvSource({"off,OFF", "'\"off\"',OFF", "flag,FLAG", "drop,DROP", "redo,REDO"})
  void theSafetyPolicyIsReadAndWrittenBack(String written, SafetyPolicy policy, @TempDir Path folder) throws IOException {
    Path file = folder.resolve("config.yaml");
    Files.writeString(file, "safety: " + written + "\nsets: [{name: Base, plan: {classes: fashion-mnist, per-class: 1}}]\n");
    RunConfig config = RunConfig.read(file, Embedded.in(Shared.repository()));
    assertThat(config.safety()).isEqualTo(policy);
    Files.writeString(file, Yaml.write(config.toTree()));
    assertThat(RunConfig.read(file, Embedded.in(Shared.repository()))).isEqualTo(config);
  }

  @ParameterizedTest
  @CsvSource({"32, 50", "128, 16", "512, 1", "1024, 1"})
  void batchesOfLargePicturesAreSmall(int size, int batch) {
    Map<String, Object> plan = Map.of("classes", "fashion-mnist", "per-class", 1, "width", size, "height", size);
    Map<String, Object> tree = Map.of("sets", List.of(Map.of("name", "Base", "plan", plan)));
    assertThat(RunConfig.of(tree, Embedded.in(Shared.repository())).batch()).isEqualTo(batch);
  }

  @Test
  void anotherSafetyPolicyIsRefused() {
    Map<String, Object> tree = new HashMap<>(sets("Base").toTree());
    tree.put("safety", "blacken");
    assertThatThrownBy(() -> RunConfig.of(tree, Embedded.in(Shared.repository())))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("unknown safety policy 'blacken' (known: off, flag, drop, redo)");
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

  private static RunConfig trainings(Map<String, Object> keys) {
    Map<String, Object> tree = new HashMap<>(keys);
    tree.put("sets", List.of(Map.of("name", "Base", "plan", Map.of("classes", "fashion-mnist", "per-class", 1))));
    return RunConfig.of(tree, Embedded.in(Shared.repository()));
  }

  @Test
  void eachArchitectureHasItsOwnRecipeAndEachSeedItsTraining() {
    RunConfig config =
        trainings(
            Map.of(
                "architectures", Map.of("resnet50", Map.of(), "resnet101", Map.of("weight-decay", 0.1)),
                "seeds", 3,
                "recipe", Map.of("preset", "paper", "seed", 5)));
    assertThat(config.trainings()).isEqualTo(6);
    assertThat(config.seeds()).containsExactly(5L, 6L, 7L);
    assertThat(config.recipes()).extracting(Recipe::architecture).containsExactlyInAnyOrder("resnet50", "resnet101");
    assertThat(config.recipes())
        .allSatisfy(r -> assertThat(r.weightDecay()).isEqualTo(r.architecture().equals("resnet101") ? 0.1 : 0.9))
        .allSatisfy(r -> assertThat(r.epochs()).isEqualTo(200));
    assertThat(RunConfig.of(config.toTree(), Embedded.in(Shared.repository()))).isEqualTo(config);
    assertThat(trainings(Map.of("seeds", List.of(4, 2))).recipes().getFirst().seed()).isEqualTo(4);
  }

  @Test
  void architecturesAndSeedsThatCannotBeAreNamed() {
    refused("unknown architecture 'resnet5'; did you mean 'resnet50'", Map.of("architectures", List.of("resnet5")));
    refused("'architectures' must name one or more, found none", Map.of("architectures", List.of()));
    refused("'architectures' names resnet50 twice", Map.of("architectures", List.of("resnet50", "resnet50")));
    refused(
        "'recipe.architecture' is resnet101, which is not among 'architectures' [resnet50]",
        Map.of("architectures", List.of("resnet50"), "recipe", Map.of("architecture", "resnet101")));
    refused("unknown key of 'recipe' 'epoch'", Map.of("architectures", Map.of("resnet50", Map.of("epoch", 1))));
    refused("'seeds' must be a number from 1 to 100, or a list of seeds, found 0", Map.of("seeds", 0));
    refused("'seeds' must be one or more, found none", Map.of("seeds", List.of()));
    refused("'seeds' must be 1 to 100 different numbers, found [1, 1]", Map.of("seeds", List.of(1, 1)));
    refused("'seeds' must be a list of whole numbers, found [a]", Map.of("seeds", List.of("a")));
  }

  private static void refused(String message, Map<String, Object> keys) {
    assertThatThrownBy(() -> trainings(keys)).isInstanceOf(InvalidInputException.class).hasMessageStartingWith(message);
  }
}
