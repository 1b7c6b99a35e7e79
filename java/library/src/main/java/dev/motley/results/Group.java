// SPDX-License-Identifier: Apache-2.0
package dev.motley.results;

import dev.motley.BatchNormMode;
import dev.motley.InvalidInputException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Trainings that differ in nothing but their seeds.
 *
 * @param bySeed one of each seed, at least one
 */
record Group(TreeMap<Long, Trained> bySeed) {
  /** What the hashes of a record are of. */
  private static final Map<String, String> HASHES = Map.of("sha256", "their images", "from", "the weights they began with");

  /** Everything but the seed, and what the images are called. */
  private record Alike(Map<String, Object> recipe, Map<String, Object> data, String test, int batch) {
    static Alike of(Trained one) {
      var recipe = new LinkedHashMap<>(one.record().recipe().toTree());
      recipe.remove("seed");
      var data = new LinkedHashMap<>(one.record().data().toTree());
      data.remove("set");
      TestNote test = one.record().test().orElseThrow();
      return new Alike(recipe, data, test.sha256(), test.batch());
    }
  }

  /** Puts trainings together; of two with the same seed the first counts. */
  static List<Group> of(List<Trained> trainings) {
    var groups = new LinkedHashMap<Alike, Group>();
    for (Trained one : trainings) {
      groups
          .computeIfAbsent(Alike.of(one), _ -> new Group(new TreeMap<>()))
          .bySeed
          .putIfAbsent(one.record().recipe().seed(), one);
    }
    return List.copyOf(groups.values());
  }

  Trained first() {
    return bySeed.firstEntry().getValue();
  }

  TrainingData data() {
    return first().record().data();
  }

  String architecture() {
    return first().record().recipe().architecture();
  }

  /** Of the accuracies over the seeds, in [0, 1]. */
  Spread accuracy(BatchNormMode mode) {
    return Spread.of(bySeed.values().stream().map(one -> one.accuracy(mode)).toList());
  }

  /** Of the calibration errors over the seeds, in [0, 1]. */
  Spread calibrationError(BatchNormMode mode) {
    return Spread.of(bySeed.values().stream().map(one -> one.scores(mode).calibrationError()).toList());
  }

  /** Whether this is of a base class that another set may be compared with, but for the resize: all else but the prompts is alike. */
  boolean isBaseFor(Group other) {
    Alike own = Alike.of(first());
    Alike theirs = Alike.of(other.first());
    return SetKinds.isBase(data())
        && own.recipe.equals(theirs.recipe)
        && own.test.equals(theirs.test)
        && own.batch == theirs.batch
        && data().totalPerClass() == other.data().totalPerClass()
        && data().model().equals(other.data().model())
        && data().preset().equals(other.data().preset());
  }

  /** Refuses to show two in one place: which of them would the number be of? */
  InvalidInputException besides(Group other) {
    Alike own = Alike.of(first());
    Alike theirs = Alike.of(other.first());
    var differences = new ArrayList<String>();
    own.recipe.forEach((key, value) -> compare(key, value, theirs.recipe.get(key), differences));
    own.data.forEach((key, value) -> compare(key, value, theirs.data.get(key), differences));
    String difference = differences.isEmpty() ? "the tests" : differences.getFirst();
    return new InvalidInputException(
        "%s and %s are trainings of one cell of the table that are not alike (%s): give them to 'tables' one at a time"
            .formatted(first().folder(), other.first().folder(), difference));
  }

  private static void compare(String key, Object value, Object other, List<String> differences) {
    if (!value.equals(other)) {
      differences.add(HASHES.getOrDefault(key, key + " " + value + " and " + other));
    }
  }
}
