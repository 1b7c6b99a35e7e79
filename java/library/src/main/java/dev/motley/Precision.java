// SPDX-License-Identifier: Apache-2.0
package dev.motley;

import java.util.Locale;

/** What a network computes in. Statistics and master weights are float32 in either case. */
public enum Precision {
  /** float32 throughout. */
  FP32,
  /** Activations and matrix products in bfloat16. */
  BF16;

  /** The name in files and options: {@code fp32} or {@code bf16}. */
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * Finds a precision by its {@link #id}.
   *
   * @throws InvalidInputException if there is none of that name
   */
  public static Precision named(String id) {
    for (Precision precision : values()) {
      if (precision.id().equals(id)) {
        return precision;
      }
    }
    throw new InvalidInputException("unknown precision '" + id + "' (known: fp32, bf16)");
  }
}
