// SPDX-License-Identifier: Apache-2.0
package dev.motley.config;

import dev.motley.InvalidInputException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads one map of a parsed YAML or JSON document strictly; every error names the key in full. */
public final class Tree {

  private final String path;
  private final Map<String, Object> values;

  private Tree(String path, Map<String, Object> values) {
    this.path = path;
    this.values = values;
  }

  /** The map at {@code path}, which may hold {@code known} keys only. */
  public static Tree of(String path, Object value, List<String> known) {
    if (!(value instanceof Map<?, ?> map)) {
      throw wrong(path, "a map", value);
    }
    var values = new LinkedHashMap<String, Object>();
    for (Map.Entry<?, ?> one : map.entrySet()) {
      String key = String.valueOf(one.getKey());
      if (!known.contains(key)) {
        throw new InvalidInputException(
            Names.unknown("key" + (path.isEmpty() ? "" : " of '" + path + "'"), key, known));
      }
      if (one.getValue() == null) {
        throw wrong(join(path, key), "a value", "nothing");
      }
      values.put(key, one.getValue());
    }
    return new Tree(path, values);
  }

  /** The error for a value that is not as expected. */
  public static InvalidInputException wrong(String path, String expected, Object found) {
    String shown = Names.printable(String.valueOf(found));
    return new InvalidInputException("'" + path + "' must be " + expected + ", found " + shown);
  }

  private static String join(String path, String key) {
    return path.isEmpty() ? key : path + "." + key;
  }

  /** The full name of a key, for messages. */
  public String path(String key) {
    return join(path, key);
  }

  /** Whether the key is present. */
  public boolean has(String key) {
    return values.containsKey(key);
  }

  /** The keys present, in order. */
  public List<String> keys() {
    return List.copyOf(values.keySet());
  }

  /** The value as parsed. */
  public Optional<Object> value(String key) {
    return Optional.ofNullable(values.get(key));
  }

  /** A map of its own, which may hold {@code known} keys only. */
  public Optional<Tree> tree(String key, List<String> known) {
    return value(key).map(v -> of(path(key), v, known));
  }

  /** A text; numbers and booleans as written. */
  public Optional<String> text(String key) {
    return value(key).map(v -> text(path(key), v));
  }

  /** A value of a list as text. */
  public static String text(String path, Object value) {
    // YAML reads a bare 3 or true as a number or boolean; as a name they are as good as any.
    if (value instanceof String || value instanceof Integer || value instanceof Boolean) {
      return value.toString();
    }
    throw wrong(path, "a text", value);
  }

  /** A list of texts. */
  public Optional<List<String>> texts(String key) {
    return value(key).map(v -> items(path(key), v).stream().map(i -> text(path(key), i)).toList());
  }

  /** A value as a list. */
  public static List<Object> items(String path, Object value) {
    if (value instanceof List<?> list) {
      return new ArrayList<>(list);
    }
    throw wrong(path, "a list", value);
  }

  /** A whole number. */
  public Optional<Long> whole(String key) {
    return value(key)
        .map(
            v -> {
              if (v instanceof Integer || v instanceof Long) {
                return ((Number) v).longValue();
              }
              throw wrong(path(key), "a whole number", v);
            });
  }

  /** A whole number from 0 on. */
  public Optional<Integer> count(String key) {
    return whole(key)
        .map(
            v -> {
              if (v < 0 || v > Integer.MAX_VALUE) {
                throw wrong(path(key), "a whole number from 0 to " + Integer.MAX_VALUE, v);
              }
              return v.intValue();
            });
  }

  /** A number. */
  public Optional<Double> number(String key) {
    return value(key)
        .map(
            v -> {
              if (v instanceof Number n) {
                return n.doubleValue();
              }
              throw wrong(path(key), "a number", v);
            });
  }
}
