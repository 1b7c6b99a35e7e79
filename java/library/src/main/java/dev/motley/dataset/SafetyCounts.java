// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

/**
 * What the safety checker did to the images of one class, or of all.
 *
 * @param checked pictures it looked at
 * @param flagged those of them that it flagged: kept, dropped or drawn again
 * @param dropped images left out
 * @param redone pictures thrown away and drawn again
 */
public record SafetyCounts(int checked, int flagged, int dropped, int redone) {

  /** Nothing yet. */
  static final SafetyCounts NONE = new SafetyCounts(0, 0, 0, 0);

  /** Flagged pictures that the store holds. */
  public int kept() {
    return flagged - dropped - redone;
  }

  SafetyCounts plus(SafetyCounts other) {
    return new SafetyCounts(
        checked + other.checked, flagged + other.flagged, dropped + other.dropped, redone + other.redone);
  }
}
