// SPDX-License-Identifier: Apache-2.0
package dev.motley.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.InvalidInputException;
import dev.motley.testing.Mutations;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class YamlTest {

  @TempDir private Path folder;

  private void refused(String yaml, String message) throws IOException {
    refused(yaml.getBytes(StandardCharsets.UTF_8), message);
  }

  private void refused(byte[] yaml, String message) throws IOException {
    Path file = folder.resolve("run.yaml");
    Files.write(file, yaml);
    assertThatThrownBy(() -> Yaml.read(file))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith(file + ", line ")
        .hasMessageEndingWith(message)
        .message()
        .doesNotContain("\n");
  }

  @Test
  void aTreeIsReadBackAsItWasWritten() throws IOException {
    Map<String, Object> tree =
        Map.of("title", "1.50", "batch", 50, "sets", List.of(Map.of("plan", Map.of("eta", 0.5))));
    Path file = folder.resolve("a.yaml");
    Files.writeString(file, Yaml.write(tree));
    assertThat(Yaml.read(file)).isEqualTo(tree);
  }

  @Test
  void onlyAMapIsAConfig() throws IOException {
    refused("- a\n- b\n", "line 1: expected a map of keys and values, found a list");
    refused("just words\n", "line 1: expected a map of keys and values, found a single value");
    refused("", "line 1: expected a map of keys and values, found nothing");
    refused("# nothing yet\n", "line 1: expected a map of keys and values, found nothing");
  }

  @Test
  void faultsAreFoundWhereTheyAre() throws IOException {
    refused("a: 1\nb:\n\tc: 2\n", "line 3: a tab where YAML wants spaces");
    refused("a: 1\nb: 2\na: 3\n", "line 3: duplicate key 'a'");
    refused("a: {b: 1,\n b: 2}\n", "line 2: duplicate key 'b'");
    refused("a: 1\n---\nb: 2\n", "line 3: a second document, expected one");
    byte[] latin = "a: 1\nname: caf\u00e9\n".getBytes(StandardCharsets.ISO_8859_1);
    refused(latin, "line 2: not valid UTF-8 (byte 0xe9)");
  }

  @Test
  void aFileThatIsNotThereIsNamed() {
    assertThatThrownBy(() -> Yaml.read(folder.resolve("no.yaml")))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(folder.resolve("no.yaml") + ": no such file");
  }

  @Test
  void whateverTheBytesNothingButAnExplanationLeaves() {
    String yaml =
        """
        title: "Clothes: \\u00e9"
        sets:
          - name: Base   # comment
            plan: {classes: [cat, {folder: dog, prompt: 'a dog'}], per-class: 100}
          - &anchor
            name: |
              two
              lines
        recipe: {epochs: 0x14, learning-rate: 1.0e-3, flip: .5, on: yes, none: ~}
        """;
    Mutations.check(
        yaml.getBytes(StandardCharsets.UTF_8), 3000, 16 << 20, bytes -> Yaml.read("a.yaml", bytes));
  }
}
