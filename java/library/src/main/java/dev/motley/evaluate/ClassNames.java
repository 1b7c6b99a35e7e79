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
   * Requires that a trained model and a test set have the same names in the same order, since a label is an index into them.
   *
   * @param model what the model tells apart, in the order of its logits
   * @param data what the test set holds, in the order of its labels
   * @param source what to call the test set in the message, such as its path
   * @throws InvalidInputException if they differ; the message lists both
   */
  public static void requireSame(List<String> model, List<String> data, String source) {
    requireSame(
        "the model was trained on", model, data, source, "give the test set's classes as the model has them");
  }

  /**
   * The same where no model has been trained yet.
   *
   * @param owner whose the names are, with the verb, such as {@code the sets have}
   * @param names in label order
   * @param data what the test set holds, in the order of its labels
   * @param source what to call the test set in the message, such as its path
   * @param remedy what the user can do, behind a colon
   * @throws InvalidInputException if they differ; the message lists both
   */
  public static void requireSame(
      String owner, List<String> names, List<String> data, String source, String remedy) {
    if (canonical(names).equals(canonical(data))) {
      return;
    }
    String reason =
        Set.copyOf(canonical(names)).equals(Set.copyOf(canonical(data))) && names.size() == data.size()
            ? "in another order"
            : "which are not the same";
    throw new InvalidInputException(
        "%s has %s, %s %s, %s: %s"
            .formatted(source, list(data, names), owner, list(names, data), reason, remedy));
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
