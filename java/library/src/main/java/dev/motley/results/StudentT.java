// SPDX-License-Identifier: Apache-2.0
package dev.motley.results;

/** Student's t distribution. */
final class StudentT {
  private static final double TWO_SIDED_95 = 0.95;

  private StudentT() {}

  /** The t that a share of 95 % lies within on both sides of 0: 12.706 for one degree of freedom, 1.96 for very many. */
  static double quantile95(double freedom) {
    double low = 0;
    double high = 1;
    while (within(high, freedom) < TWO_SIDED_95) {
      high *= 2;
    }
    for (int i = 0; i < 100; i++) { // to the last bit of a double
      double middle = (low + high) / 2;
      if (within(middle, freedom) < TWO_SIDED_95) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return (low + high) / 2;
  }

  /** P(|T| below t) = 1 - I_x(freedom / 2, 1/2) at x = freedom / (freedom + t^2); Abramowitz and Stegun 26.7.1. */
  static double within(double t, double freedom) {
    return 1 - incompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5);
  }

  /** I_x(a, b) by its continued fraction (Abramowitz and Stegun 26.5.8), from the side where that converges fast. */
  private static double incompleteBeta(double x, double a, double b) {
    if (x <= 0 || x >= 1) {
      return x <= 0 ? 0 : 1;
    }
    if (x > (a + 1) / (a + b + 2)) {
      return 1 - incompleteBeta(1 - x, b, a);
    }
    double front = Math.exp(a * Math.log(x) + b * Math.log1p(-x) + logGamma(a + b) - logGamma(a) - logGamma(b)) / a;
    double fraction = 1; // from the last term that counts to the first
    for (int m = 300; m >= 1; m--) {
      int k = m / 2;
      double d =
          m % 2 == 0
              ? k * (b - k) * x / ((a + m - 1) * (a + m))
              : -(a + k) * (a + b + k) * x / ((a + m - 1) * (a + m));
      fraction = 1 + d / fraction;
    }
    return front / fraction;
  }

  /** Stirling's series, after x has been raised to where 5 terms give all digits of a double. */
  private static double logGamma(double x) {
    double shift = 0;
    double y = x;
    for (; y < 10; y++) {
      shift += Math.log(y);
    }
    double r = 1 / (y * y);
    double series = (1.0 / 12 - r * (1.0 / 360 - r * (1.0 / 1260 - r * (1.0 / 1680 - r / 1188)))) / y;
    return (y - 0.5) * Math.log(y) - y + Math.log(2 * Math.PI) / 2 + series - shift;
  }
}
