// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

/** Hears how far a long native call is, between two of its steps and on the calling thread; others may go on meanwhile. */
@FunctionalInterface
public interface Progress {

  /** Hears nothing and never cancels. */
  Progress NONE = (done, total, value, value2) -> true;

  /**
   * Called after each step. An exception thrown here cancels the call and is thrown again by it.
   *
   * @param done steps finished
   * @param total steps of this call
   * @param value training: mean loss of the steps since the last report; sampling: the timestep
   *     just done
   * @param value2 training: the fraction of right answers in those steps; else 0
   * @return true to go on, false to cancel
   */
  boolean proceed(long done, long total, double value, double value2);
}
