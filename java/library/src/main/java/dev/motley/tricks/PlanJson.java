// SPDX-License-Identifier: Apache-2.0
package dev.motley.tricks;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.motley.InvalidInputException;
import dev.motley.files.Sha256;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/** Canonical JSON of trees and its hash. */
final class PlanJson {

  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private PlanJson() {}

  static String write(Object tree) {
    try {
      return MAPPER.writeValueAsString(tree);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree of plain values is always writable", e);
    }
  }

  static Object read(String json) {
    try {
      Object tree = MAPPER.readValue(json, Object.class);
      if (tree == null) {
        throw new InvalidInputException("the plan is empty: expected JSON");
      }
      return tree;
    } catch (JsonProcessingException e) {
      var at = e.getLocation();
      throw new InvalidInputException(
          "the plan is not JSON (line %d, column %d): %s"
              .formatted(
                  at == null ? 1 : at.getLineNr(),
                  at == null ? 1 : at.getColumnNr(),
                  e.getOriginalMessage().lines().findFirst().orElse("")),
          e);
    }
  }

  /** The first leaf, by its key, in which a tree differs from the one asked for. */
  static Optional<String> difference(Object tree, Object asked) {
    Map<String, String> ours = new TreeMap<>();
    Map<String, String> theirs = new TreeMap<>();
    flatten("", tree, ours);
    flatten("", asked, theirs);
    var keys = new TreeSet<>(ours.keySet());
    keys.addAll(theirs.keySet());
    return keys.stream()
        .filter(key -> !Objects.equals(ours.get(key), theirs.get(key)))
        .findFirst()
        .map(
            key ->
                "%s is %s, asked for is %s"
                    .formatted(key, ours.getOrDefault(key, "not there"), theirs.getOrDefault(key, "none")));
  }

  private static void flatten(String path, Object tree, Map<String, String> to) {
    switch (tree) {
      case Map<?, ?> map -> map.forEach((key, value) -> flatten(path.isEmpty() ? key.toString() : path + "." + key, value, to));
      case List<?> list -> {
        for (int i = 0; i < list.size(); i++) {
          flatten(path + "[" + i + "]", list.get(i), to);
        }
      }
      default -> to.put(path, write(tree));
    }
  }

  static String sha256(String text) {
    return Sha256.of(text.getBytes(StandardCharsets.UTF_8));
  }
}
