// SPDX-License-Identifier: Apache-2.0
package dev.motley;

/** Hears of progress and may stop the work. Called on the working thread: be quick. */
@FunctionalInterface
public interface ProgressListener {
  /** A listener that never stops anything. */
  ProgressListener NONE = progress -> true;

  /**
   * Says how far the work has come.
   *
   * @return false to stop: the work saves what it has and throws {@link CancelledException}
   */
  boolean onProgress(Progress progress);
}
