// SPDX-License-Identifier: Apache-2.0
package dev.motley.results;

import dev.motley.evaluate.Interval;
import java.util.List;
import java.util.Optional;

/**
 * Numbers of one kind that differ by chance, such as the accuracies of several seeds.
 *
 * @param n how many, at least 1
 * @param mean of them
 * @param sd the sample standard deviation, with n - 1 in the denominator; 0 for one number, which says nothing of the spread
 */
public record Spread(int n, double mean, double sd) {

  /** Of at least one number. */
  public static Spread of(List<Double> values) {
    if (values.isEmpty()) {
      throw new IllegalArgumentException("the spread of no numbers");
    }
    double mean = values.stream().mapToDouble(Double::doubleValue).sum() / values.size();
    double squares = values.stream().mapToDouble(value -> (value - mean) * (value - mean)).sum();
    return new Spread(values.size(), mean, values.size() == 1 ? 0 : Math.sqrt(squares / (values.size() - 1)));
  }

  /** The 95 % confidence interval of the mean by Student's t with n - 1 degrees of freedom; empty for one number. */
  public Optional<Interval> interval() {
    return n < 2 ? Optional.empty() : Optional.of(around(mean, StudentT.quantile95(n - 1) * sd / Math.sqrt(n)));
  }

  /**
   * The 95 % confidence interval of this mean less another, by Welch's t; empty where either is of one number, or neither varies.
   */
  public Optional<Interval> difference(Spread other) {
    double own = sd * sd / n;
    double others = other.sd * other.sd / other.n;
    double variance = own + others;
    if (n < 2 || other.n < 2 || variance == 0) {
      return Optional.empty();
    }
    double freedom = variance * variance / (own * own / (n - 1) + others * others / (other.n - 1));
    return Optional.of(around(mean - other.mean, StudentT.quantile95(freedom) * Math.sqrt(variance)));
  }

  private static Interval around(double middle, double half) {
    return new Interval(middle - half, middle + half);
  }
}
