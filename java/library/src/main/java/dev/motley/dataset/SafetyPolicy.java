// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;
import java.util.Arrays;
import java.util.Locale;

/** What becomes of a picture that the model's safety checker flags. Whatever it is, the store records and counts it. */
public enum SafetyPolicy {
  /** No picture is checked. */
  OFF,

  /** It is kept, and its record marks it. */
  FLAG,

  /** It is left out; the store records that and why. */
  DROP,

  /** It is drawn again with the next seed, as one that is not finite or of one colour; the record of the image tells. */
  REDO;

  /** The name in options and files: {@code off}, {@code flag}, {@code drop} or {@code redo}. */
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * Finds a policy by its {@link #id}.
   *
   * @throws InvalidInputException if there is none of that name
   */
  public static SafetyPolicy named(String id) {
    return Arrays.stream(values())
        .filter(policy -> policy.id().equals(id))
        .findFirst()
        .orElseThrow(() -> new InvalidInputException("unknown safety policy '" + id + "' (known: off, flag, drop, redo)"));
  }
}
