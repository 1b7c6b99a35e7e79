// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.motley.InvalidInputException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** JSON of a store: keys sorted, so that equal contents give equal bytes. */
final class StoreJson {

  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private StoreJson() {}

  /** One line, in UTF-8. */
  static byte[] line(Map<String, ?> tree) {
    return bytes(tree, false);
  }

  /** Indented, for people, in UTF-8. */
  static byte[] document(Map<String, ?> tree) {
    return bytes(tree, true);
  }

  private static byte[] bytes(Map<String, ?> tree, boolean indented) {
    try {
      var writer = indented ? MAPPER.writerWithDefaultPrettyPrinter() : MAPPER.writer();
      String text = writer.writeValueAsString(tree).replace("\r\n", "\n") + "\n";
      return text.getBytes(StandardCharsets.UTF_8);
    } catch (JsonProcessingException e) {
      throw new InvalidInputException("cannot write as JSON: " + e.getOriginalMessage(), e);
    }
  }

  /** Reads a map; an error names {@code what} was read. */
  static Map<String, Object> read(String what, byte[] json) {
    try {
      Object tree = MAPPER.readValue(json, Object.class);
      if (!(tree instanceof Map<?, ?> map)) {
        throw new InvalidInputException(what + " must be a JSON object");
      }
      var named = new LinkedHashMap<String, Object>();
      map.forEach((key, value) -> named.put(String.valueOf(key), value));
      return named;
    } catch (java.io.IOException e) {
      String reason =
          e instanceof JsonProcessingException json1 ? json1.getOriginalMessage() : e.getMessage();
      throw new InvalidInputException(
          what + " is not JSON: " + String.valueOf(reason).lines().findFirst().orElse(""), e);
    }
  }

  /** One value as JSON text, for plans and comparisons. */
  static String text(Object value) {
    try {
      return MAPPER.writeValueAsString(value);
    } catch (JsonProcessingException e) {
      throw new InvalidInputException("cannot write as JSON: " + e.getOriginalMessage(), e);
    }
  }
}
