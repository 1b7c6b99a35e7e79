// SPDX-License-Identifier: Apache-2.0
package dev.motley.evaluate;

import dev.motley.InvalidInputException;
import dev.motley.dataset.ImageSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/** Whether a model and a test set speak of the same classes. */
public final class ClassNames {

  /** Longer lists are shown by their differences only. */
  private static final int SHOWN = 12;

  private ClassNames() {}

  /**
   * A test set with its labels as a trained model has them: class folders, for one, come in the order of the alphabet.
   *
   * @param model what the model tells apart, in the order of its logits
   * @param images the test set
   * @param source what to call the test set in the message, such as its path
   * @return the same pictures, labelled by the model's indices and named by its names
   * @throws InvalidInputException if they do not hold the same classes; the message lists both
   */
  public static ImageSet inOrderOf(List<String> model, ImageSet images, String source) {
    return inOrderOf(
        "the model was trained on",
        model,
        images,
        source,
        "give real images of the model's classes (IDX files are named by a class_names.txt beside them, one name a line)");
  }

  /**
   * The same where no model has been trained yet.
   *
   * @param owner whose the names are, with the verb, such as {@code the sets have}
   * @param names in label order
   * @param images the test set
   * @param source what to call the test set in the message, such as its path
   * @param remedy what the user can do, behind a colon
   * @return the same pictures, labelled and named by {@code names}
   * @throws InvalidInputException if they do not hold the same classes; the message lists both
   */
  public static ImageSet inOrderOf(
      String owner, List<String> names, ImageSet images, String source, String remedy) {
    List<String> wanted = canonical(names);
    List<String> found = canonical(images.classNames());
    if (wanted.size() != found.size() || !Set.copyOf(wanted).equals(Set.copyOf(found))) {
      throw new InvalidInputException(
          "%s has %s, %s %s, which are not the same: %s"
              .formatted(source, list(images.classNames(), names), owner, list(names, images.classNames()), remedy));
    }
    int[] labels = IntStream.of(images.labels()).map(label -> wanted.indexOf(found.get(label))).toArray();
    return new ImageSet(images.name(), images.height(), images.width(), images.pixels(), labels, names);
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
