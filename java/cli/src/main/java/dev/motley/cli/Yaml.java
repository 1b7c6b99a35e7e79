// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.motley.InvalidInputException;
import dev.motley.ResourceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;

/** YAML files as trees of maps, lists, texts, numbers and booleans. */
final class Yaml {
  private static final YAMLMapper MAPPER =
      YAMLMapper.builder(
              YAMLFactory.builder()
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
                  .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
                  .enable(YAMLGenerator.Feature.ALWAYS_QUOTE_NUMBERS_AS_STRINGS)
                  .build())
          .build();

  private Yaml() {}

  static Map<String, Object> read(Path file) {
    try {
      Map<String, Object> tree = MAPPER.readValue(Files.readString(file), new TypeReference<>() {});
      if (tree == null) {
        throw new InvalidInputException(file + " is empty: expected a YAML map");
      }
      return tree;
    } catch (NoSuchFileException e) {
      throw new InvalidInputException(file + ": no such file");
    } catch (JsonProcessingException e) {
      int line = e.getLocation() == null ? 0 : e.getLocation().getLineNr();
      throw new InvalidInputException(
          file + ", line " + line + ": " + e.getOriginalMessage().lines().findFirst().orElse("not YAML"));
    } catch (IOException e) {
      throw new ResourceException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  static String write(Map<String, Object> tree) {
    try {
      return MAPPER.writeValueAsString(tree);
    } catch (JsonProcessingException e) {
      throw new AssertionError(e);
    }
  }
}
