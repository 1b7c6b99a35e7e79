// SPDX-License-Identifier: Apache-2.0
package dev.motley;

/** What a network computes in. Statistics and master weights are float32 in either case. */
public enum Precision {
  /** float32 throughout. */
  FP32,
  /** Activations and matrix products in bfloat16. */
  BF16
}
