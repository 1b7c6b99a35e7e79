// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import dev.motley.InvalidInputException;
import java.util.Arrays;
import java.util.Locale;

/**
 * Which of a UNet's two sets of weights to take where a checkpoint holds both: those that training ended with, or their exponential
 * moving average, which usually draws better.
 */
public enum Ema {
  /** Whatever the checkpoint gives under the usual names: the plain weights of a single file, the main file of a folder. */
  AS_GIVEN,

  /** The average: {@code model_ema.*} of a single file, the main file of a folder. */
  AVERAGED,

  /** The weights that training ended with: the plain ones of a single file, the {@code non_ema} file of a folder. */
  PLAIN;

  /** The name in configurations: {@code as-given}, {@code averaged} or {@code plain}. */
  public String id() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * Finds a choice by its {@link #id}.
   *
   * @throws InvalidInputException if there is none of that name
   */
  public static Ema named(String id) {
    return Arrays.stream(values())
        .filter(choice -> choice.id().equals(id))
        .findFirst()
        .orElseThrow(() -> new InvalidInputException("unknown ema '" + id + "' (known: as-given, averaged, plain)"));
  }
}
