// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

/** Whose statistics BatchNorm uses outside training. */
public enum BatchNormMode {
  /** Running statistics, as {@code model.eval()}. */
  RUNNING,
  /** Statistics of the test batch; the running ones are left alone. */
  BATCH
}
