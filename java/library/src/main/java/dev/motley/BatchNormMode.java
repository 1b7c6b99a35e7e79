// SPDX-License-Identifier: Apache-2.0
package dev.motley;

/** Whose statistics BatchNorm normalises with when a classifier is tested. */
public enum BatchNormMode {
  /** The running statistics of training: {@code model.eval()}. */
  RUNNING,
  /**
   * The statistics of each test batch, as in the paper's published code, which never leaves training
   * mode; the running ones are left alone.
   */
  BATCH
}
