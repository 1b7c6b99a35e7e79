// SPDX-License-Identifier: Apache-2.0
package dev.motley.evaluate;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * The same measurement over several seeds.
 *
 * @param values one per seed, at least one
 */
public record SeedSummary(List<Double> values) {

  /** Two-sided 95 % quantiles of Student's t for 1 to 30 degrees of freedom. */
  private static final double[] T95 = {
    12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281,
    2.2010, 2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860,
    2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423
  };

  /** Copies the values and refuses none at all. */
  public SeedSummary {
    values = List.copyOf(values);
    if (values.isEmpty()) {
      throw new IllegalArgumentException("a summary over no seeds");
    }
  }

  /**
   * Returns the mean.
   *
   * @return in the unit of the values
   */
  public double mean() {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    return sum / values.size();
  }

  /**
   * Returns the sample standard deviation (n - 1).
   *
   * @return empty for a single seed
   */
  public OptionalDouble standardDeviation() {
    if (values.size() < 2) {
      return OptionalDouble.empty();
    }
    double mean = mean();
    double sum = 0;
    for (double value : values) {
      sum += (value - mean) * (value - mean);
    }
    return OptionalDouble.of(Math.sqrt(sum / (values.size() - 1)));
  }

  /**
   * Returns the 95 % interval of the mean, by Student's t.
   *
   * @return empty for a single seed
   */
  public Optional<Interval> interval() {
    OptionalDouble deviation = standardDeviation();
    if (deviation.isEmpty()) {
      return Optional.empty();
    }
    double half = quantile(values.size() - 1) * deviation.getAsDouble() / Math.sqrt(values.size());
    return Optional.of(new Interval(mean() - half, mean() + half));
  }

  /** Beyond the table: the first terms of Cornish and Fisher's expansion, good to four digits. */
  static double quantile(int freedom) {
    if (freedom <= T95.length) {
      return T95[freedom - 1];
    }
    double z = Tally.Z95;
    double z3 = z * z * z;
    double first = (z3 + z) / (4.0 * freedom);
    double second = (5 * z3 * z * z + 16 * z3 + 3 * z) / (96.0 * freedom * freedom);
    return z + first + second;
  }
}
