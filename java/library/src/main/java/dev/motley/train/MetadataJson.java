// SPDX-License-Identifier: Apache-2.0
package dev.motley.train;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.motley.InvalidInputException;
import java.nio.file.Path;
import java.util.Locale;

/** What the metadata of a safetensors file holds as JSON. Each field must be there: what is missing, unknown or null is damage. */
final class MetadataJson {
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .defaultSetterInfo(JsonSetter.Value.forContentNulls(Nulls.FAIL))
          .build();

  private MetadataJson() {}

  static String write(Object record) {
    try {
      return JSON.writeValueAsString(record);
    } catch (JsonProcessingException e) {
      throw new AssertionError(e);
    }
  }

  /**
   * Reads the object that an entry holds.
   *
   * @param file for messages
   * @param key of the entry, for messages
   * @throws InvalidInputException if it is no JSON or another value
   */
  static ObjectNode parse(Path file, String key, String text) {
    try {
      JsonNode value = JSON.readTree(text);
      if (value instanceof ObjectNode object) {
        return object;
      }
      throw damaged(file, key, "expected an object, got " + value.getNodeType().name().toLowerCase(Locale.ROOT));
    } catch (JsonProcessingException e) {
      throw damaged(file, key, reason(e));
    }
  }

  /**
   * Makes a record of an object.
   *
   * @throws InvalidInputException if it has other fields or values
   */
  static <T> T read(Path file, String key, ObjectNode object, Class<T> type) {
    try {
      return JSON.treeToValue(object, type);
    } catch (JsonProcessingException e) {
      throw damaged(file, key, e.getCause() instanceof InvalidInputException invalid ? invalid.getMessage() : reason(e));
    }
  }

  /** Jackson's words, less the names of its own classes and features. */
  private static String reason(JsonProcessingException e) {
    String line = e.getOriginalMessage().lines().findFirst().orElse("");
    return line.replaceFirst("(; `| \\((bound as|index|start marker|set|enable|for) ).*", "");
  }

  private static InvalidInputException damaged(Path file, String key, String reason) {
    return new InvalidInputException("%s: its \"%s\" metadata is damaged: %s".formatted(file, key, reason));
  }
}
