// SPDX-License-Identifier: Apache-2.0
package dev.motley.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class TrainingClockTest {
  @Test
  void anArchitectureTakesWhatItTookAndAnUnknownOneTheMean() {
    var clock = new TrainingClock();
    assertThat(clock.left(Map.of("resnet50", 100L))).isEmpty();
    clock.add("resnet50", 60, 100);
    assertThat(clock.left(Map.of("resnet50", 1000L))).isEqualTo("about 10 min left");
    clock.add("resnet101", 180, 100);
    assertThat(clock.left(Map.of("resnet50", 100L, "resnet101", 100L))).isEqualTo("about 4 min left");
    assertThat(clock.left(Map.of("vit_b_16", 10_000L))).as("240 s for 200 images").isEqualTo("about 3.3 h left");
    assertThat(clock.left(Map.of())).isEmpty();
  }
}
