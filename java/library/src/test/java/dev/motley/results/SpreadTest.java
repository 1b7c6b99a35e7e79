// SPDX-License-Identifier: Apache-2.0
package dev.motley.results;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.motley.evaluate.Interval;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SpreadTest {

  /** From {@code scipy.stats.t.ppf(0.975, df)}. */
  @ParameterizedTest
  @CsvSource({
    "1, 12.7062047364", "2, 4.3026527297", "2.5, 3.5746548420", "3, 3.1824463053", "4, 2.7764451052", "9, 2.2621571628",
    "29, 2.0452296421", "99, 1.9842169516", "1000, 1.9623390809"
  })
  void studentsTIsThatOfTheTables(double freedom, double quantile) {
    assertThat(StudentT.quantile95(freedom)).isCloseTo(quantile, within(1e-9));
  }

  @Test
  void theIntervalIsThatOfASmallSample() {
    Spread spread = Spread.of(List.of(0.60, 0.61, 0.65));
    assertThat(spread.mean()).isCloseTo(0.62, within(1e-12));
    assertThat(spread.sd()).isCloseTo(0.026457513110645, within(1e-12));
    Interval interval = spread.interval().orElseThrow();
    double half = 4.3026527297 * 0.026457513110645 / Math.sqrt(3);
    assertThat(interval.low()).isCloseTo(0.62 - half, within(1e-10));
    assertThat(interval.high()).isCloseTo(0.62 + half, within(1e-10));
  }

  /** {@code scipy.stats.ttest_ind([.60, .61, .65], [.50, .55], equal_var=False).confidence_interval()}. */
  @Test
  void theDifferenceIsWelchs() {
    Interval interval = Spread.of(List.of(0.60, 0.61, 0.65)).difference(Spread.of(List.of(0.50, 0.55))).orElseThrow();
    assertThat(interval.low()).isCloseTo(-0.048756878676079224, within(1e-10));
    assertThat(interval.high()).isCloseTo(0.23875687867607917, within(1e-10));
  }

  @Test
  void oneNumberHasNoInterval() {
    assertThat(Spread.of(List.of(0.5)).interval()).isEmpty();
    assertThat(Spread.of(List.of(0.5)).difference(Spread.of(List.of(0.4, 0.5)))).isEmpty();
  }
}
