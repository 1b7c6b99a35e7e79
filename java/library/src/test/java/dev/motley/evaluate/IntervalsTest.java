// SPDX-License-Identifier: Apache-2.0
package dev.motley.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class IntervalsTest {

  /**
   * Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3.
   */
  @Test
  void wilsonAsPublished() {
    check(new Tally(81, 263).interval(), 0.2553, 0.3662);
    check(new Tally(15, 148).interval(), 0.0624, 0.1605);
    check(new Tally(0, 20).interval(), 0.0, 0.1611);
    check(new Tally(1, 29).interval(), 0.0061, 0.1718);
  }

  /** Newcombe 1998, "Interval estimation for the difference", table II, method 10. */
  @Test
  void differenceAsPublished() {
    check(new Tally(56, 70).difference(new Tally(48, 80)), 0.0524, 0.3339);
    check(new Tally(9, 10).difference(new Tally(3, 10)), 0.1705, 0.8090);
    check(new Tally(10, 10).difference(new Tally(0, 10)), 0.6075, 1.0);
  }

  @Test
  void endsAreExactWhereAllOrNoneAreRight() {
    assertThat(new Tally(10, 10).interval().high()).isEqualTo(1);
    assertThat(new Tally(0, 10).interval().low()).isZero();
    assertThat(new Tally(0, 0).interval()).isEqualTo(new Interval(0, 1));
  }

  private static void check(Interval interval, double low, double high) {
    assertThat(interval.low()).isCloseTo(low, within(5e-5));
    assertThat(interval.high()).isCloseTo(high, within(5e-5));
  }
}
