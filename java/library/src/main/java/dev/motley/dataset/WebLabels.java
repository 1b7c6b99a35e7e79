// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.motley.InvalidInputException;
import dev.motley.config.Names;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * Labels of WebDataset samples: a number or a name, as the text of a {@code .cls} file or a field of a {@code .json} file. Numbers
 * are named by the file of class names beside the shards, else by a name in the same JSON, else by themselves.
 */
final class WebLabels {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  /** Fields that hold the label, the first one counts. */
  private static final List<String> LABEL_FIELDS = List.of("label", "cls", "class_id", "class_index", "class", "class_name");

  /** Fields that hold the name of a numbered class, the first one counts; {@code folder} is a synthetic store's. */
  private static final List<String> NAME_FIELDS = List.of("folder", "class_name", "label_name", "class");

  /** Numbers above are no class indices. */
  private static final int MAX_CLASSES = 100_000;

  private static final int LONGEST = 200;

  private final List<String> given;
  private final Map<Integer, String> named = new TreeMap<>();

  /** @param given names in label order; empty: none are given */
  WebLabels(List<String> given) {
    this.given = given;
  }

  /**
   * The label of a sample as text.
   *
   * @param what the sample, for messages
   * @throws InvalidInputException if it has none
   */
  String read(String what, WebSample sample) {
    String text =
        sample.labelEnding().equals(".cls")
            ? new String(sample.label(), StandardCharsets.UTF_8).strip()
            : ofJson(what, sample.label());
    if (text.isEmpty() || text.length() > LONGEST) {
      throw new InvalidInputException(what + sample.labelEnding() + ": expected a class number or name");
    }
    return text;
  }

  /**
   * Checks that the given names have a label.
   *
   * @throws InvalidInputException if they do not
   */
  void check(String what, String label) {
    int classes = given.isEmpty() ? MAX_CLASSES : given.size();
    if (isNumber(label) && Integer.parseInt(label) >= classes) {
      throw new InvalidInputException("%s: label %s, expected 0 to %d".formatted(what, label, classes - 1));
    }
    if (!isNumber(label) && !given.isEmpty() && !given.contains(label)) {
      throw new InvalidInputException(
          "%s: label '%s' is none of the %d class names".formatted(what, Names.printable(label), given.size()));
    }
  }

  private String ofJson(String what, byte[] json) {
    JsonNode tree;
    try {
      tree = JSON.readTree(json);
    } catch (JsonProcessingException e) {
      throw new InvalidInputException(what + ".json: not valid JSON", e);
    } catch (IOException e) {
      throw new InvalidInputException(what + ".json: cannot be read", e);
    }
    JsonNode label = LABEL_FIELDS.stream().filter(tree::hasNonNull).map(tree::get).findFirst().orElse(tree.path("label"));
    if (!label.isIntegralNumber() && !label.isTextual()) {
      throw new InvalidInputException(what + ".json: no label, expected one of the fields " + LABEL_FIELDS);
    }
    String text = label.asText().strip();
    if (given.isEmpty() && isNumber(text)) {
      NAME_FIELDS.stream()
          .map(tree::path)
          .filter(JsonNode::isTextual)
          .findFirst()
          .ifPresent(name -> name(what, Integer.parseInt(text), name.asText().strip()));
    }
    return text;
  }

  private void name(String what, int index, String name) {
    String before = named.putIfAbsent(index, name);
    if (before != null && !before.equals(name)) {
      throw new InvalidInputException(
          "%s.json: class %d is called '%s', in a sample before '%s'"
              .formatted(what, index, Names.printable(name), Names.printable(before)));
    }
  }

  /** The class names in label order, once all labels are read. */
  List<String> names(List<String> labels) {
    if (!given.isEmpty()) {
      return given;
    }
    if (!labels.stream().allMatch(WebLabels::isNumber)) {
      return List.copyOf(new TreeSet<>(labels));
    }
    int classes = 1 + labels.stream().mapToInt(Integer::parseInt).max().orElse(-1);
    return IntStream.range(0, classes).mapToObj(i -> named.getOrDefault(i, Integer.toString(i))).toList();
  }

  /** From a label's text to its index in {@link #names}. */
  Function<String, Integer> indices(List<String> labels) {
    List<String> names = names(labels);
    boolean numbered = !given.isEmpty() || labels.stream().allMatch(WebLabels::isNumber);
    Map<String, Integer> indices = new HashMap<>();
    for (int i = 0; i < names.size(); i++) {
      indices.put(names.get(i), i);
    }
    return label -> numbered && isNumber(label) ? Integer.valueOf(label) : indices.get(label);
  }

  private static boolean isNumber(String text) {
    return text.matches("\\d{1,6}");
  }
}
