// SPDX-License-Identifier: Apache-2.0
package dev.motley.results;

import dev.motley.InvalidInputException;
import dev.motley.config.Tree;
import dev.motley.config.Yaml;
import dev.motley.files.AtomicFile;
import dev.motley.train.Recipe;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a finished training was: {@code training.yaml} beside its {@code model.safetensors}.
 *
 * @param recipe how, with architecture and seed
 * @param data what it learned from
 * @param test what the {@code evaluation.json} beside it is of; empty where it was not tested
 */
public record TrainingRecord(Recipe recipe, TrainingData data, Optional<TestNote> test) {
  /** The name of the file. */
  public static final String FILE = "training.yaml";

  /** The result of the test, beside it. */
  public static final String EVALUATION = "evaluation.json";

  private static final int FORMAT = 1;
  private static final List<String> KEYS = List.of("format", "recipe", "data", "test");

  /** The same with its test. */
  TrainingRecord tested(TestNote note) {
    return new TrainingRecord(recipe, data, Optional.of(note));
  }

  /** The same without one. */
  private TrainingRecord untested() {
    return new TrainingRecord(recipe, data, Optional.empty());
  }

  /**
   * Notes a finished training in its folder, unless that is noted already; a file that is damaged is written anew.
   *
   * @param folder of the training
   */
  public static TrainingRecord note(Path folder, Recipe recipe, TrainingData data) {
    var record = new TrainingRecord(recipe, data, Optional.empty());
    Optional<TrainingRecord> known = find(folder).filter(one -> one.untested().equals(record));
    if (known.isEmpty()) {
      record.write(folder);
    }
    return known.orElse(record);
  }

  /** What is noted in a folder; a file that is damaged is as good as none. */
  public static Optional<TrainingRecord> find(Path folder) {
    if (!Files.exists(folder.resolve(FILE))) {
      return Optional.empty();
    }
    try {
      return Optional.of(read(folder));
    } catch (InvalidInputException e) {
      return Optional.empty();
    }
  }

  void write(Path folder) {
    AtomicFile.write(folder.resolve(FILE), Yaml.write(toTree()));
  }

  /**
   * Reads what {@link #note} wrote.
   *
   * @param folder of the training
   * @throws InvalidInputException in one line that names the file, and the key that is missing or wrong
   */
  public static TrainingRecord read(Path folder) {
    Path file = folder.resolve(FILE);
    Map<String, Object> map = Yaml.read(file);
    try {
      Tree tree = Tree.of("", map, KEYS);
      long format = tree.whole("format").orElseThrow(() -> TrainingData.missing(tree, "format"));
      if (format != FORMAT) {
        throw Tree.wrong("format", String.valueOf(FORMAT), format);
      }
      Tree data = tree.tree("data", TrainingData.KEYS).orElseThrow(() -> TrainingData.missing(tree, "data"));
      Tree recipe = tree.tree("recipe", Recipe.KEYS).orElseThrow(() -> TrainingData.missing(tree, "recipe"));
      TrainingData read = TrainingData.fromTree(data);
      return new TrainingRecord(
          Recipe.fromTree(recipe, Recipe.OTHER_DATASET, read.size()), read, tree.tree("test", TestNote.KEYS).map(TestNote::fromTree));
    } catch (InvalidInputException e) {
      throw new InvalidInputException(file + " is no record of a training: " + e.getMessage(), e);
    }
  }

  private Map<String, Object> toTree() {
    var tree = new LinkedHashMap<String, Object>();
    tree.put("format", FORMAT);
    tree.put("recipe", recipe.toTree());
    tree.put("data", data.toTree());
    test.ifPresent(note -> tree.put("test", note.toTree()));
    return tree;
  }
}
