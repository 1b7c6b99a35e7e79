// SPDX-License-Identifier: Apache-2.0
package dev.motley.results;

import dev.motley.tricks.ClassList;
import dev.motley.tricks.DatasetPreset;
import dev.motley.tricks.Trick;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Which row of Table 2 a set of images belongs to, told by its tricks, its resize and its numbers; of one dataset. */
final class SetKinds {
  static final String BASE = Trick.BASE_CLASS.id();
  static final String ANTI_ALIASING = "anti-aliasing";
  static final String COMBINED = "all-combined";
  static final String EQUAL_BUDGET = "all-combined-equal-budget";
  static final String DOUBLED = "-doubled";
  private static final String REAL = "real";

  private static final String PLAIN = "bilinear";
  private static final String ANTI_ALIASED = "bilinear_aa";

  private static final Map<String, String> TITLES = titles();

  private final String dataset;
  private final Set<Trick> combined;
  private final boolean bestIsDoubled;

  /** Images per class of the base class sets. */
  private final Set<Integer> baseCounts = new HashSet<>();

  SetKinds(String dataset, Collection<Group> groups) {
    this.dataset = dataset;
    boolean known = ClassList.presets().contains(dataset);
    Set<Trick> best = known ? DatasetPreset.named(dataset).best().imagesPerClass().keySet() : EnumSet.allOf(Trick.class);
    bestIsDoubled = best.size() == 1;
    combined = bestIsDoubled ? DatasetPreset.named(dataset).combined() : best;
    groups.stream().map(Group::data).filter(SetKinds::isBase).forEach(data -> baseCounts.add(data.totalPerClass()));
  }

  private static Map<String, String> titles() {
    var titles = new LinkedHashMap<String, String>(); // in the order of the table
    titles.put("he-et-al", "He et al., ResNet50 on GLIDE's images (cited)");
    titles.put("clip-zero-shot", "CLIP-RN50, zero-shot (cited)");
    titles.put(BASE, "Base class");
    titles.put(ANTI_ALIASING, "Base class, anti-aliased rescale");
    titles.put(Trick.CLASS_PROMPT.id(), "Class prompt");
    titles.put(Trick.MULTI_DOMAIN.id(), "Multi-domain");
    titles.put(Trick.RANDOM_GUIDANCE.id(), "Random guidance");
    titles.put(Trick.RANDOM_GUIDANCE.id() + DOUBLED, "Random guidance, twice the images");
    titles.put(COMBINED, "All combined");
    titles.put(EQUAL_BUDGET, "All combined, as many images as the base class");
    titles.put(REAL, "Real images");
    return titles;
  }

  /** The kinds that have a name of their own, in the order of the table. */
  static List<String> known() {
    return List.copyOf(TITLES.keySet());
  }

  static String title(String kind) {
    return TITLES.getOrDefault(kind, kind);
  }

  /** The kind of the paper's best tricks for this dataset. */
  String best() {
    return bestIsDoubled ? Trick.RANDOM_GUIDANCE.id() + DOUBLED : COMBINED;
  }

  static boolean isBase(TrainingData data) {
    return data.perClass().keySet().equals(Set.of(Trick.BASE_CLASS));
  }

  /** One of {@link #known}, or a description where the paper has no such set. */
  String of(TrainingData data) {
    String kind = kind(data);
    boolean asExpected = data.resize().equals(TrainingData.NOT_RESIZED) || data.resize().equals(usual(kind));
    return asExpected ? kind : title(kind) + ", resized by " + data.resize();
  }

  private String kind(TrainingData data) {
    Map<Trick, Integer> mix = data.perClass();
    if (mix.isEmpty()) {
      return REAL;
    }
    if (isBase(data)) {
      return isOfPaper() && data.resize().equals(ANTI_ALIASED) ? ANTI_ALIASING : BASE;
    }
    int total = data.totalPerClass();
    if (mix.size() == 1) {
      String trick = mix.keySet().iterator().next().id();
      boolean doubled = trick.equals(Trick.RANDOM_GUIDANCE.id()) && baseCounts.contains(total / 2) && total % 2 == 0;
      return bestIsDoubled && doubled ? trick + DOUBLED : trick;
    }
    if (!isEven(mix)) {
      return described(mix, true);
    }
    String even = baseCounts.contains(total) ? EQUAL_BUDGET : COMBINED;
    return mix.keySet().equals(combined) ? even : described(mix, false) + (even.equals(COMBINED) ? "" : ", equal budget");
  }

  private boolean isOfPaper() {
    return ClassList.presets().contains(dataset) && DatasetPreset.named(dataset).drawnSize() != DatasetPreset.named(dataset).storedSize();
  }

  /** The paper's way: the base class without anti-aliasing, the rest with it for CIFAR; of other datasets any. */
  private String usual(String kind) {
    if (!isOfPaper() || kind.equals(ANTI_ALIASING)) {
      return ANTI_ALIASED;
    }
    return kind.equals(BASE) || !DatasetPreset.named(dataset).antialias() ? PLAIN : ANTI_ALIASED;
  }

  /** As many images of each trick, to within the one that division may leave. */
  private static boolean isEven(Map<Trick, Integer> mix) {
    var counts = mix.values().stream().sorted().toList();
    return counts.getLast() - counts.getFirst() <= 1;
  }

  private static String described(Map<Trick, Integer> mix, boolean withCounts) {
    var parts = new ArrayList<String>();
    mix.forEach((trick, count) -> parts.add(title(trick.id()) + (withCounts ? " " + count : "")));
    return String.join(" + ", parts);
  }
}
