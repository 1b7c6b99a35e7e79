// SPDX-License-Identifier: Apache-2.0
package dev.motley;

import java.util.Locale;

/** What a network computes in. Statistics and master weights are float32 in each. */
public enum Precision {
  /** float32 throughout. */
  FP32,
  /** Activations and matrix products in bfloat16. */
  BF16,
  /**
   * Weights and activations stored as IEEE binary16, products in float32: a checkpoint of that type is held exactly. Values
   * beyond 65504 become infinite. For the diffusion models, not for classifiers.
   */
  FP16;

  /** The name in files and options: {@code fp32}, {@code bf16} or {@code fp16}. */
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
    throw new InvalidInputException("unknown precision '" + id + "' (known: fp32, bf16, fp16)");
  }
}
