// SPDX-License-Identifier: Apache-2.0
package dev.motley.evaluate;

import dev.motley.InvalidInputException;
import dev.motley.dataset.ClassMatch;
import dev.motley.dataset.ImageSet;
import java.util.List;

/** Whether a model and a test set speak of the same classes. */
public final class ClassNames {

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
    int[] indices =
        ClassMatch.indices(names, images.classNames())
            .orElseThrow(
                () ->
                    new InvalidInputException(
                        "%s has %s, %s %s, which are not the same: %s"
                            .formatted(
                                source,
                                ClassMatch.list(images.classNames(), names),
                                owner,
                                ClassMatch.list(names, images.classNames()),
                                remedy)));
    return images.relabelled(names, indices);
  }
}
