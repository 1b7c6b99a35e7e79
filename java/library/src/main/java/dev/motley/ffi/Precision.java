// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

/**
 * The precision in which a model computes activations and matrix products. Statistics and master
 * weights are float32 in each.
 */
public enum Precision {
  /** 32-bit floating point. */
  FP32,
  /** bfloat16, which needs a CPU with bf16 instructions to be faster. */
  BF16;

  /** The value of motley.h, where the precisions stand in this order. */
  int code() {
    return ordinal();
  }
}
