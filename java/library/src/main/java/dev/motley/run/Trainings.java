// SPDX-License-Identifier: Apache-2.0
package dev.motley.run;

import dev.motley.InvalidInputException;
import dev.motley.config.Names;
import dev.motley.config.Tree;
import dev.motley.train.Recipe;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/** The keys {@code recipe}, {@code architectures} and {@code seeds} of a {@link RunConfig}. */
final class Trainings {
  private static final String ARCHITECTURE = "architecture";
  private static final String DEFAULT_ARCHITECTURE = "resnet50";

  /** More than an interval gains from; a larger number is a slip. */
  static final int MOST_SEEDS = 100;


  private Trainings() {}

  /** What the recipe of each architecture has of its own; by default one that the recipe names, with nothing. */
  static Map<String, Map<?, ?>> architectures(Tree tree) {
    var own = new LinkedHashMap<String, Map<?, ?>>();
    Object value = tree.value("architectures").orElseGet(() -> List.of(named(tree)));
    if (value instanceof Map<?, ?> map) {
      map.forEach((name, keys) -> own.put(String.valueOf(name), keys(tree.path("architectures") + "." + name, keys)));
    } else {
      for (Object item : Tree.items(tree.path("architectures"), value)) {
        if (own.put(Tree.text(tree.path("architectures"), item), Map.of()) != null) {
          throw new InvalidInputException("'architectures' names " + Names.printable(String.valueOf(item)) + " twice");
        }
      }
    }
    if (own.isEmpty()) {
      throw new InvalidInputException("'architectures' must name one or more, found none");
    }
    own.keySet().forEach(name -> Names.find(ARCHITECTURE, name, Recipe.ARCHITECTURES, n -> n));
    return own;
  }

  private static Map<?, ?> keys(String path, Object value) {
    if (value instanceof Map<?, ?> map) {
      if (map.containsKey(ARCHITECTURE) || map.containsKey("seed") || map.containsKey("image-size")) {
        throw new InvalidInputException("'%s' may not have the keys architecture, seed and image-size".formatted(path));
      }
      return map;
    }
    throw Tree.wrong(path, "a map of the recipe's keys", value);
  }

  private static String named(Tree tree) {
    return recipe(tree).getOrDefault(ARCHITECTURE, DEFAULT_ARCHITECTURE).toString();
  }

  private static Map<String, Object> recipe(Tree tree) {
    var keys = new LinkedHashMap<String, Object>();
    Object value = tree.value("recipe").orElse(Map.of());
    if (!(value instanceof Map<?, ?> map)) {
      throw Tree.wrong("recipe", "a map", value);
    }
    map.forEach((key, one) -> keys.put(String.valueOf(key), one));
    return keys;
  }

  /** One recipe for each architecture: what {@code recipe} says, then what the architecture has of its own. */
  static List<Recipe> recipes(Tree tree, Map<String, Map<?, ?>> architectures, String dataset, int imageSize) {
    Map<String, Object> shared = recipe(tree);
    Object named = shared.get(ARCHITECTURE);
    if (named != null && !architectures.containsKey(named.toString())) {
      throw new InvalidInputException(
          "'recipe.architecture' is %s, which is not among 'architectures' %s"
              .formatted(Names.printable(named.toString()), architectures.keySet()));
    }
    var recipes = new ArrayList<Recipe>();
    architectures.forEach(
        (name, own) -> {
          var keys = new LinkedHashMap<>(shared);
          own.forEach((key, value) -> keys.put(String.valueOf(key), value));
          keys.put(ARCHITECTURE, name);
          recipes.add(Recipe.fromTree(Tree.of("recipe", keys, Recipe.KEYS), dataset, imageSize));
        });
    return recipes;
  }

  /** The form that {@link #architectures} reads back: of each, what differs from the first one's recipe. */
  static Map<String, Object> tree(List<Recipe> recipes) {
    Map<String, Object> first = recipes.getFirst().toTree();
    var tree = new LinkedHashMap<String, Object>();
    for (Recipe recipe : recipes) {
      var own = new LinkedHashMap<>(recipe.toTree());
      own.entrySet().removeIf(one -> one.getKey().equals(ARCHITECTURE) || one.getValue().equals(first.get(one.getKey())));
      tree.put(recipe.architecture(), own);
    }
    return tree;
  }

  /** A number of seeds from {@code first} on, or a list of them. */
  static List<Long> seeds(Tree tree, long first) {
    if (!(tree.value("seeds").orElse(1) instanceof List<?> list)) {
      long count = tree.whole("seeds").orElse(1L);
      if (count < 1 || count > MOST_SEEDS) {
        throw Tree.wrong("seeds", "a number from 1 to " + MOST_SEEDS + ", or a list of seeds", count);
      }
      return LongStream.range(first, first + count).boxed().toList();
    }
    var seeds = new ArrayList<Long>();
    for (Object one : list) {
      if (!(one instanceof Integer || one instanceof Long)) {
        throw Tree.wrong("seeds", "a list of whole numbers", list);
      }
      seeds.add(((Number) one).longValue());
    }
    if (seeds.isEmpty()) {
      throw new InvalidInputException("'seeds' must be one or more, found none");
    }
    return seeds;
  }
}
