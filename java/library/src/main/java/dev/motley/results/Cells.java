// SPDX-License-Identifier: Apache-2.0
package dev.motley.results;

import dev.motley.BatchNormMode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** The trainings of one dataset by architecture and kind of set. */
final class Cells {
  private final SetKinds kinds;
  private final BatchNormMode mode;
  private final List<Group> groups;
  private final Map<String, Map<String, Group>> byArchitecture = new LinkedHashMap<>();

  Cells(String dataset, List<Group> groups, BatchNormMode mode) {
    this.groups = groups;
    this.mode = mode;
    kinds = new SetKinds(dataset, groups);
    Set<String> ambiguous = ambiguous();
    for (Group group : groups) {
      String kind = kinds.of(group.data());
      String name = ambiguous.contains(kind) ? "%s, %s".formatted(SetKinds.title(kind), images(group.data())) : kind;
      Group other = byArchitecture.computeIfAbsent(group.architecture(), _ -> new TreeMap<>()).putIfAbsent(name, group);
      if (other != null) {
        throw other.besides(group);
      }
    }
  }

  /** Kinds that there are several sizes of. */
  private Set<String> ambiguous() {
    var sizes = new LinkedHashMap<String, Integer>();
    var ambiguous = new LinkedHashSet<String>();
    for (Group group : groups) {
      String kind = kinds.of(group.data());
      Integer known = sizes.putIfAbsent(kind, group.data().totalPerClass());
      if (known != null && known != group.data().totalPerClass()) {
        ambiguous.add(kind);
      }
    }
    return ambiguous;
  }

  private static String images(TrainingData data) {
    return String.format(Locale.ROOT, "%,d images", (long) data.totalPerClass() * data.classes());
  }

  boolean isEmpty() {
    return groups.isEmpty();
  }

  List<String> architectures() {
    return Tables.ordered(byArchitecture.keySet());
  }

  /** The kinds of sets that an architecture was trained on. */
  Set<String> kinds(String architecture) {
    return byArchitecture.getOrDefault(architecture, Map.of()).keySet();
  }

  boolean has(String architecture, String kind) {
    return kinds(architecture).contains(kind);
  }

  String best() {
    return kinds.best();
  }

  Optional<ResultTable.Measured> measured(String architecture, String kind) {
    return Optional.ofNullable(byArchitecture.getOrDefault(architecture, Map.of()).get(kind))
        .map(
            group ->
                new ResultTable.Measured(
                    group.accuracy(mode), group.calibrationError(mode), group.data().images(), gain(group)));
  }

  private Gain gain(Group group) {
    TrainingData data = group.data();
    if (kinds.of(data).equals(SetKinds.ANTI_ALIASING)) {
      return groups.stream()
          .filter(base -> base.isBaseFor(group) && kinds.of(base.data()).equals(SetKinds.BASE))
          .findFirst()
          .map(base -> over(base, group, "the base class without anti-aliasing"))
          .orElseGet(() -> new Gain.Unknown("no base without anti-aliasing"));
    }
    if (SetKinds.isBase(data)) {
      return new Gain.IsBase();
    }
    return groups.stream()
        .filter(base -> base.isBaseFor(group) && base.data().resize().equals(data.resize()))
        .findFirst()
        .map(base -> over(base, group, "the base class"))
        .orElseGet(
            () ->
                new Gain.Unknown(
                    data.resize().equals(TrainingData.NOT_RESIZED)
                        ? "no base of " + images(data)
                        : "no base of %s, %s".formatted(images(data), data.resize())));
  }

  private Gain over(Group base, Group group, String name) {
    Spread own = group.accuracy(mode);
    Spread others = base.accuracy(mode);
    return new Gain.Known(name, own.mean() - others.mean(), own.difference(others));
  }

  /** A sentence for each set of real images that the classifiers were tested on. */
  List<String> tests(String title) {
    var sentences = new LinkedHashSet<String>();
    for (Group group : groups) {
      TestNote test = group.first().record().test().orElseThrow();
      sentences.add(
          String.format(Locale.ROOT, "%s: tested on %,d real images (%s), in batches of %,d.", title, test.images(), test.real(), test.batch()));
    }
    return new ArrayList<>(sentences);
  }
}
