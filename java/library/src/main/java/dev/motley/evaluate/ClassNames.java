// SPDX-License-Identifier: Apache-2.0
package dev.motley.evaluate;

import dev.motley.InvalidInputException;
import java.util.List;
import java.util.Set;

/** Whether a model and a test set speak of the same classes. */
public final class ClassNames {

  /** Longer lists are shown by their differences only. */
  private static final int SHOWN = 12;

  private ClassNames() {}

  /**
   * Requires the same names in the same order, since a label is an index into them.
   *
   * @param model what the model tells apart, in the order of its logits
   * @param data what the test set holds, in the order of its labels
   * @param source what to call the test set in the message, such as its path
   * @throws InvalidInputException if they differ; the message lists both
   */
  public static void requireSame(List<String> model, List<String> data, String source) {
    if (canonical(model).equals(canonical(data))) {
      return;
    }
    String reason =
        Set.copyOf(canonical(model)).equals(Set.copyOf(canonical(data))) && model.size() == data.size()
            ? "in another order"
            : "which are not the same";
    throw new InvalidInputException(
        ("%s has %s, the model was trained on %s, %s:"
                + " give the test set's classes as the model has them")
            .formatted(source, list(data, model), list(model, data), reason));
  }

  /** Data sets write {@code aquarium_fish} or {@code aquarium fish}; it is the same class. */
  private static List<String> canonical(List<String> names) {
    return names.stream().map(name -> name.replace('_', ' ')).toList();
  }

  private static String list(List<String> names, List<String> others) {
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
