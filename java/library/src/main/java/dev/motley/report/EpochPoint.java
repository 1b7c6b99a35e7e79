// SPDX-License-Identifier: Apache-2.0
package dev.motley.report;

/**
 * One epoch of training.
 *
 * @param epoch counted from 1
 * @param loss mean over the epoch's images, finite
 * @param accuracy fraction of the epoch's augmented images called right, in [0, 1]
 */
public record EpochPoint(int epoch, double loss, double accuracy) {

  /** Refuses what cannot be drawn. */
  public EpochPoint {
    if (!Double.isFinite(loss) || !(accuracy >= 0 && accuracy <= 1)) {
      throw new IllegalArgumentException(
          "epoch " + epoch + " has loss " + loss + " and accuracy " + accuracy);
    }
  }
}
