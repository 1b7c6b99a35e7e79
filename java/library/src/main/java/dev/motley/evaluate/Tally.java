// SPDX-License-Identifier: Apache-2.0
package dev.motley.evaluate;

/**
 * How many of some images were called right.
 *
 * @param correct those called right
 * @param images all of them; 0 when there were none
 */
public record Tally(int correct, int images) {

  /** The two-sided 95 % quantile of the normal distribution. */
  static final double Z95 = 1.959963984540054;

  /** Refuses counts that cannot be. */
  public Tally {
    if (correct < 0 || correct > images) {
      throw new IllegalArgumentException(correct + " right of " + images);
    }
  }

  /**
   * Returns the fraction called right.
   *
   * @return in [0, 1]; 0 when there were no images
   */
  public double accuracy() {
    return images == 0 ? 0 : (double) correct / images;
  }

  /**
   * Returns the 95 % score interval of the accuracy (Wilson 1927): what the same classifier would
   * get on other images of the same kind. It knows nothing of the spread over training seeds.
   *
   * @return inside [0, 1]; all of it when there were no images
   */
  public Interval interval() {
    if (images == 0) {
      return new Interval(0, 1);
    }
    double n = images;
    double p = accuracy();
    double z2n = Z95 * Z95 / n;
    double centre = (p + z2n / 2) / (1 + z2n);
    double half = Z95 / (1 + z2n) * Math.sqrt(p * (1 - p) / n + z2n / (4 * n));
    double low = correct == 0 ? 0 : Math.max(0, centre - half);
    double high = correct == images ? 1 : Math.min(1, centre + half);
    return new Interval(low, high);
  }

  /**
   * Returns the 95 % interval of the difference of two accuracies, this one's less the other's, by
   * Newcombe's hybrid of score intervals (1998, method 10). It takes the two as independent, which
   * is cautious when both were measured on the same images.
   *
   * @param other what to compare with
   * @return inside [-1, 1]
   */
  public Interval difference(Tally other) {
    Interval a = interval();
    Interval b = other.interval();
    double d = accuracy() - other.accuracy();
    double down = Math.hypot(accuracy() - a.low(), b.high() - other.accuracy());
    double up = Math.hypot(a.high() - accuracy(), other.accuracy() - b.low());
    return new Interval(Math.max(-1, d - down), Math.min(1, d + up));
  }
}
