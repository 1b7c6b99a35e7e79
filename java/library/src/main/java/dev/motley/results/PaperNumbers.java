// SPDX-License-Identifier: Apache-2.0
package dev.motley.results;

import dev.motley.MotleyException;
import dev.motley.config.Tree;
import dev.motley.config.Yaml;
import java.io.IOException;
import java.io.InputStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/** What the paper printed: the accuracies of its Tables 2 and 3, read from the resource {@code paper.yaml}. */
public final class PaperNumbers {
  private static final String RESOURCE = "paper.yaml";

  private final String source;
  private final Map<String, String> datasets = new LinkedHashMap<>();
  private final Map<String, Map<?, ?>> table2;
  private final Map<String, Map<?, ?>> table3;

  private PaperNumbers(Tree tree) {
    source = tree.text("source").orElseThrow();
    Tree names = tree.tree("datasets", keys(tree, "datasets")).orElseThrow();
    names.keys().forEach(id -> datasets.put(id, names.text(id).orElseThrow()));
    table2 = rows(tree, "table-2");
    table3 = rows(tree, "table-3");
  }

  /** Those that come with Motley. */
  public static PaperNumbers read() {
    try (InputStream in = PaperNumbers.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new MotleyException("dev/motley/results/paper.yaml is missing from the library: its build is incomplete");
      }
      Map<String, Object> map = Yaml.read(RESOURCE, in.readAllBytes());
      return new PaperNumbers(Tree.of("", map, List.of("source", "datasets", "table-2", "table-3")));
    } catch (IOException e) {
      throw new MotleyException("cannot read dev/motley/results/paper.yaml: " + e.getMessage(), e);
    }
  }

  private static List<String> keys(Tree tree, String key) {
    return ((Map<?, ?>) tree.value(key).orElseThrow()).keySet().stream().map(String::valueOf).toList();
  }

  private static Map<String, Map<?, ?>> rows(Tree tree, String key) {
    var rows = new LinkedHashMap<String, Map<?, ?>>();
    ((Map<?, ?>) tree.value(key).orElseThrow()).forEach((row, cells) -> rows.put(String.valueOf(row), (Map<?, ?>) cells));
    return rows;
  }

  /** Where the numbers stand. */
  String source() {
    return source;
  }

  /** The paper's datasets, the names of their class lists, in its order. */
  public List<String> datasets() {
    return List.copyOf(datasets.keySet());
  }

  /** A dataset's name for people. */
  String title(String dataset) {
    return datasets.getOrDefault(dataset, dataset);
  }

  /** The paper's architectures by Motley's names, in its order. */
  public List<String> architectures() {
    return List.copyOf(table3.keySet());
  }

  /** The accuracy in percent of one set, ResNet50's. */
  OptionalDouble table2(String row, String dataset) {
    return percent(table2.getOrDefault(row, Map.of()).get(dataset));
  }

  /** The accuracy in percent of an architecture. */
  OptionalDouble table3(String architecture, String dataset, boolean best) {
    return table3.getOrDefault(architecture, Map.of()).get(dataset) instanceof List<?> pair
        ? percent(pair.get(best ? 1 : 0))
        : OptionalDouble.empty();
  }

  private static OptionalDouble percent(Object value) {
    return value instanceof Number number ? OptionalDouble.of(number.doubleValue()) : OptionalDouble.empty();
  }
}
