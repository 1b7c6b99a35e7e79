// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.motley.InvalidInputException;
import dev.motley.files.FileFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * A JSON configuration file read key by key; every complaint names file, key, value and what is
 * supported. A key that is absent has the default that the caller states, which is the one of the
 * library that wrote the file; null counts as absent.
 */
final class ConfigFile {
  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /** Configurations are a few kilobytes; anything larger is another file. */
  private static final long MAX_BYTES = 16 << 20;

  private final String name;
  private final JsonNode root;

  private ConfigFile(String name, JsonNode root) {
    this.name = name;
    this.root = root;
  }

  static ConfigFile read(Path file) {
    try {
      if (Files.size(file) > MAX_BYTES) {
        throw new InvalidInputException(
            file + ": larger than " + MAX_BYTES + " bytes, not a configuration");
      }
      return parse(file.toString(), Files.readAllBytes(file));
    } catch (IOException e) {
      throw FileFailure.reading(file, e);
    }
  }

  /**
   * Reads a configuration's text.
   *
   * @param name for messages
   */
  static ConfigFile parse(String name, byte[] json) {
    try {
      JsonNode root = JSON.readTree(json);
      if (!root.isObject()) {
        throw new InvalidInputException(name + ": not a JSON object");
      }
      return new ConfigFile(name, root);
    } catch (JsonProcessingException e) {
      throw new InvalidInputException(
          name + ": not valid JSON: " + e.getOriginalMessage().lines().findFirst().orElse(""), e);
    } catch (IOException e) {
      // Jackson's own complaint about the bytes: there is no file that could fail.
      throw new InvalidInputException(name + ": not valid JSON: " + FileFailure.reason(e), e);
    }
  }

  /** An object within: its keys as a configuration of their own; the whole if there is no such key. */
  ConfigFile section(String key) {
    return root.path(key).isObject() ? new ConfigFile(name + ": " + key, root.path(key)) : this;
  }

  boolean has(String key) {
    return root.hasNonNull(key);
  }

  /** The raw value, or a missing node. */
  JsonNode node(String key) {
    JsonNode node = root.path(key);
    return node.isNull() ? root.path("") : node;
  }

  /** A required size in [1, 2^24]. */
  int size(String key) {
    return size(key, node(key));
  }

  int size(String key, int absent) {
    return has(key) ? size(key) : absent;
  }

  private int size(String key, JsonNode node) {
    if (!node.isIntegralNumber()
        || !node.canConvertToInt()
        || node.intValue() < 1
        || node.intValue() > 1 << 24) {
      throw unsupported(key, node, "a whole number from 1 to 16777216");
    }
    return node.intValue();
  }

  /** A token id or offset: a whole number of at least 0. */
  int index(String key, int absent) {
    JsonNode node = node(key);
    if (node.isMissingNode()) {
      return absent;
    }
    if (!node.isIntegralNumber() || !node.canConvertToInt() || node.intValue() < 0) {
      throw unsupported(key, node, "a whole number of at least 0");
    }
    return node.intValue();
  }

  double number(String key, double absent) {
    JsonNode node = node(key);
    if (node.isMissingNode()) {
      return absent;
    }
    if (!node.isNumber() || !Double.isFinite(node.doubleValue())) {
      throw unsupported(key, node, "a number");
    }
    return node.doubleValue();
  }

  double positive(String key, double absent) {
    double value = number(key, absent);
    if (value <= 0) {
      throw unsupported(key, node(key), "a number above 0");
    }
    return value;
  }

  boolean flag(String key, boolean absent) {
    JsonNode node = node(key);
    if (node.isMissingNode()) {
      return absent;
    }
    if (!node.isBoolean()) {
      throw unsupported(key, node, "true or false");
    }
    return node.booleanValue();
  }

  /** A string out of a closed set. */
  String oneOf(String key, String absent, List<String> supported) {
    JsonNode node = node(key);
    if (node.isMissingNode()) {
      return absent;
    }
    if (!node.isTextual() || !supported.contains(node.textValue())) {
      throw unsupported(key, node, String.join(" or ", supported));
    }
    return node.textValue();
  }

  /** A required list of 1 to {@code longest} sizes. */
  List<Integer> sizes(String key, int longest) {
    List<Integer> values = new ArrayList<>();
    for (JsonNode item : list(key, longest)) {
      values.add(size(key, item));
    }
    return List.copyOf(values);
  }

  /** A required list of {@code count} strings out of a closed set. */
  List<String> types(String key, int count, List<String> supported) {
    JsonNode list = list(key, count);
    if (list.size() != count) {
      throw unsupported(key, list, count + " entries, one for each of block_out_channels");
    }
    List<String> values = new ArrayList<>();
    for (JsonNode item : list) {
      if (!item.isTextual() || !supported.contains(item.textValue())) {
        throw unsupported(key, item, String.join(" or ", supported));
      }
      values.add(item.textValue());
    }
    return List.copyOf(values);
  }

  /** One size for all blocks or a list with one for each, always given as a list. */
  List<Integer> sizePerBlock(String key, int absent, int count) {
    JsonNode node = node(key);
    if (!node.isArray()) {
      return Collections.nCopies(count, size(key, absent));
    }
    if (node.size() != count) {
      throw unsupported(
          key, node, "one number or " + count + ", one for each of block_out_channels");
    }
    return sizes(key, count);
  }

  /** One size, which may be spelled as a list of equal ones. */
  int uniformSize(String key, int absent) {
    JsonNode node = node(key);
    if (!node.isArray()) {
      return size(key, absent);
    }
    List<Integer> values = sizes(key, node.size());
    if (values.stream().distinct().count() != 1) {
      throw unsupported(key, node, "the same number in all blocks");
    }
    return values.get(0);
  }

  /** Refuses any value but the given one; absent means the given one too. */
  void require(String key, Object only) {
    JsonNode node = node(key);
    boolean same =
        switch (only) {
          case Boolean flag -> node.isBoolean() && node.booleanValue() == flag;
          case Number number -> node.isNumber() && node.doubleValue() == number.doubleValue();
          default -> node.isTextual() && node.textValue().equals(only.toString());
        };
    if (!node.isMissingNode() && !same) {
      throw unsupported(key, node, only.toString());
    }
  }

  /** Refuses the key unless it is absent, null or false. */
  void requireAbsent(String key) {
    JsonNode node = node(key);
    if (!node.isMissingNode() && !(node.isBoolean() && !node.booleanValue())) {
      throw unsupported(key, node, "null");
    }
  }

  InvalidInputException unsupported(String key, JsonNode value, String supported) {
    String found =
        value.isMissingNode()
            ? "is missing"
            : "is " + Quote.line(value.toString()) + ", which is not supported";
    return new InvalidInputException(name + ": " + key + " " + found + "; expected " + supported);
  }

  /** The error for a key that gives away a model of another kind. */
  InvalidInputException foreign(String key, String kind) {
    return new InvalidInputException(
        "%s: %s is %s: this is %s, %s"
            .formatted(name, key, Quote.line(node(key).toString()), kind, ModelKind.EXPECTED));
  }

  private JsonNode list(String key, int longest) {
    JsonNode node = node(key);
    if (!node.isArray() || node.isEmpty() || node.size() > longest) {
      throw unsupported(key, node, "a list of 1 to " + longest + " entries");
    }
    return node;
  }
}
