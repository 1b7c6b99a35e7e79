// SPDX-License-Identifier: Apache-2.0
package dev.motley.evaluate;

/**
 * A closed interval, in the unit of what it bounds.
 *
 * @param low the lower end
 * @param high the upper end, not below {@code low}
 */
public record Interval(double low, double high) {

  /** Refuses ends that are not numbers or out of order. */
  public Interval {
    if (!(low <= high)) {
      throw new IllegalArgumentException("interval from " + low + " to " + high);
    }
  }

  /**
   * Says whether a value lies inside, ends included.
   *
   * @param value in the interval's unit
   * @return true when it does
   */
  public boolean contains(double value) {
    return low <= value && value <= high;
  }
}
