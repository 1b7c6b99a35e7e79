// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.tricks.ClassList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * Whether two lists name the same classes. Data sets spell them in their own way: {@code aquarium_fish} or {@code aquarium fish},
 * {@code AnnualCrop} or {@code Annual Crop}, {@code SeaLake}, {@code Sea/Lake} or, in the folders that the paper's authors
 * published, {@code Sea}.
 */
public final class ClassMatch {
  /** The published EuroSAT folder whose name is no spelling of its class. */
  private static final Map<String, String> PUBLISHED = Map.of("sea", "sealake");

  /** Longer lists are shown by their differences only. */
  private static final int SHOWN = 12;

  private ClassMatch() {}

  /**
   * Matches two lists: by their names with {@code _} for a space, else by letters and digits alone, else by the prompt spellings of
   * the built-in lists.
   *
   * @param wanted names in label order
   * @param found the other names, in any order
   * @return for each of {@code found} the index of its class in {@code wanted}; empty if they are not the same classes
   */
  public static Optional<int[]> indices(List<String> wanted, List<String> found) {
    Map<String, String> spellings = spellings();
    List<UnaryOperator<String>> rules =
        List.of(
            name -> name.replace('_', ' '),
            ClassMatch::letters,
            name -> spellings.getOrDefault(letters(name), letters(name)));
    return rules.stream().map(rule -> match(all(wanted, rule), all(found, rule))).flatMap(Optional::stream).findFirst();
  }

  private static List<String> all(List<String> names, UnaryOperator<String> rule) {
    return names.stream().map(rule).toList();
  }

  private static Optional<int[]> match(List<String> wanted, List<String> found) {
    var distinct = new HashSet<>(wanted);
    boolean same =
        wanted.size() == found.size() && distinct.size() == wanted.size() && distinct.equals(new HashSet<>(found));
    return same ? Optional.of(found.stream().mapToInt(wanted::indexOf).toArray()) : Optional.empty();
  }

  private static String letters(String name) {
    String plain = name.toLowerCase(Locale.ROOT).replaceAll("[^\\p{L}\\p{N}]", "");
    return plain.isEmpty() ? name : plain;
  }

  /** Prompt spelling to folder spelling, letters alone, of all built-in lists. */
  private static Map<String, String> spellings() {
    var folders = new HashMap<>(PUBLISHED);
    for (String preset : ClassList.presets()) {
      for (String spelling : ClassList.spellings(preset)) {
        ClassList.preset(preset).withSpelling(spelling).classes()
            .forEach(one -> folders.put(letters(one.prompt()), letters(one.folder())));
      }
    }
    return folders;
  }

  /**
   * A list for a message that says that it does not match another.
   *
   * @return how many names, and the names, of a long list only those that the other has not
   */
  public static String list(List<String> names, List<String> others) {
    if (names.size() <= SHOWN) {
      return "%d classes %s".formatted(names.size(), names);
    }
    Set<String> known = Set.copyOf(others);
    List<String> own = names.stream().filter(name -> !known.contains(name)).toList();
    List<String> shown = own.isEmpty() ? names : own;
    String cut = shown.size() > SHOWN ? ", ..." : "";
    return "%d classes%s [%s%s]"
        .formatted(
            names.size(),
            own.isEmpty() ? "" : ", of them only here",
            String.join(", ", shown.subList(0, Math.min(SHOWN, shown.size()))),
            cut);
  }
}
