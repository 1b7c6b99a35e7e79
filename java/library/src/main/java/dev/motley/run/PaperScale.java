// SPDX-License-Identifier: Apache-2.0
package dev.motley.run;

import dev.motley.InvalidInputException;

/**
 * How many images of each class a trick draws.
 *
 * @param perClass the number; 0 where it is a share of the paper's
 * @param share of the paper's number
 */
public record PaperScale(int perClass, double share) {
  /** The paper's own. */
  public static final PaperScale WHOLE = new PaperScale(0, 1);

  /** Checks the range. */
  public PaperScale {
    if (perClass < 0 || !(share > 0 && share <= 1)) {
      throw new InvalidInputException("expected 1 or more images per class, or a share of the paper's above 0 and up to 1");
    }
  }

  /**
   * A whole number of images, or a share of the paper's number with a decimal point.
   *
   * @param text such as {@code 50} or {@code 0.01}
   */
  public static PaperScale named(String text) {
    try {
      if (text.contains(".")) {
        return new PaperScale(0, Double.parseDouble(text));
      }
      int number = Integer.parseInt(text);
      if (number > 0) {
        return new PaperScale(number, 1);
      }
    } catch (NumberFormatException e) {
      // the same message serves
    }
    throw new InvalidInputException(
        "expected images per class such as 50, or a share of the paper's such as 0.01, found '" + text + "'");
  }

  /** Of a dataset of which the paper has {@code whole} images per class, at least one. */
  int of(int whole) {
    return perClass > 0 ? perClass : Math.max(1, (int) Math.round(share * whole));
  }
}
