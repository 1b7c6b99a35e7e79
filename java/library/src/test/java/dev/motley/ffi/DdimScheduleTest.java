// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.motley.InvalidInputException;
import org.junit.jupiter.api.Test;

class DdimScheduleTest {

  @Test
  void stepsAreLeadingWithTheOffset() {
    DdimSchedule schedule = DdimSchedule.of(SmallModel.DDIM, 4);
    assertThat(schedule.timesteps()).containsExactly(751, 501, 251, 1);
    assertThat(schedule.alpha()).isSorted();
  }

  @Test
  void alphasAreTheCumulativeProducts() {
    DdimSchedule schedule = DdimSchedule.of(SmallModel.DDIM, 4);
    double[] alphas = new double[1000];
    double product = 1;
    double low = Math.sqrt(0.00085);
    double high = Math.sqrt(0.012);
    for (int t = 0; t < 1000; t++) {
      double beta = Math.pow(low + (high - low) * t / 999, 2);
      product *= 1 - beta;
      alphas[t] = product;
    }
    for (int i = 0; i < 4; i++) {
      int t = schedule.timesteps()[i];
      assertThat(schedule.alpha()[i]).isCloseTo(alphas[t], within(1e-6));
      assertThat(schedule.alphaPrev()[i]).isCloseTo(alphas[Math.max(t - 250, 0)], within(1e-6));
    }
  }

  @Test
  void namesTheStepsThatAreAllowed() {
    assertThatThrownBy(() -> DdimSchedule.of(SmallModel.DDIM, 1000))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("steps is 1000, expected 1 to 999");
    assertThatThrownBy(() -> DdimSchedule.of(SmallModel.DDIM, 0))
        .isInstanceOf(InvalidInputException.class);
  }
}
