// SPDX-License-Identifier: Apache-2.0
package dev.motley;

import java.util.Locale;

/**
 * How much a network leaves out while it trains.
 *
 * @param dropout share of features that are dropped, in [0, 1), or {@link #PUBLISHED}
 * @param stochasticDepth chance that the last residual branch is left out for an image, in [0, 1), or {@link #PUBLISHED}; earlier
 *     branches less, in a straight line
 */
public record DropRates(double dropout, double stochasticDepth) {

  /** What the architecture was published with. */
  public static final double PUBLISHED = -1;

  /** Both as published. */
  public static final DropRates AS_PUBLISHED = new DropRates(PUBLISHED, PUBLISHED);

  public DropRates {
    check("dropout", dropout);
    check("stochastic depth", stochasticDepth);
  }

  private static void check(String what, double rate) {
    if (rate != PUBLISHED && !(rate >= 0 && rate < 1)) {
      throw new InvalidInputException(String.format(Locale.ROOT, "%s must be in [0, 1), got %s", what, rate));
    }
  }
}
