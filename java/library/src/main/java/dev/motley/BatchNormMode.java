// SPDX-License-Identifier: Apache-2.0
package dev.motley;

/** Whose statistics BatchNorm normalises with when a classifier is tested. */
public enum BatchNormMode {
  /** The running statistics of training: {@code model.eval()}. */
  RUNNING,
  /** The statistics of each test batch; the running ones are left alone. */
  BATCH,
  /**
   * As {@link #BATCH}, and dropout and stochastic depth stay on: {@code model.train()}, in which the paper's published code
   * tests.
   */
  TRAIN
}
