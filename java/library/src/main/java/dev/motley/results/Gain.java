// SPDX-License-Identifier: Apache-2.0
package dev.motley.results;

import dev.motley.evaluate.Interval;
import java.util.Optional;

/** What a set gained over the base class; only ever over one of the same resize and the same number of images. */
public sealed interface Gain {
  /** The set is such a base itself. */
  record IsBase() implements Gain {}

  /**
   * It can be told.
   *
   * @param over a few words on what it is compared with
   * @param difference of the mean accuracies, in [-1, 1]
   * @param interval its 95 % confidence interval over seeds (Welch), where both have two or more
   */
  record Known(String over, double difference, Optional<Interval> interval) implements Gain {}

  /**
   * It cannot.
   *
   * @param missing the base that there is none of
   */
  record Unknown(String missing) implements Gain {}
}
