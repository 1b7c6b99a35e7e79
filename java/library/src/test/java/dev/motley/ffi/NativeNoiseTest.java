// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.motley.InvalidInputException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class NativeNoiseTest {

  @Test
  void philoxDependsOnEachOfItsCoordinatesAndNothingElse() {
    float[] noise = NativeNoise.philox(1, 2, 3, 100);
    assertThat(NativeNoise.philox(1, 2, 3, 100)).isEqualTo(noise);
    assertThat(NativeNoise.philox(1, 2, 3, 7)).isEqualTo(Arrays.copyOf(noise, 7));
    assertThat(NativeNoise.philox(9, 2, 3, 100)).isNotEqualTo(noise);
    assertThat(NativeNoise.philox(1, 9, 3, 100)).isNotEqualTo(noise);
    assertThat(NativeNoise.philox(1, 2, 9, 100)).isNotEqualTo(noise);
  }

  @Test
  void philoxIsNormal() {
    int n = 1 << 20;
    double sum = 0;
    double squares = 0;
    for (float value : NativeNoise.philox(7, 0, 0, n)) {
      sum += value;
      squares += (double) value * value;
    }
    // Standard errors are 0.001 and 0.0014: five of them.
    assertThat(sum / n).isCloseTo(0, within(0.005));
    assertThat(squares / n).isCloseTo(1, within(0.007));
  }

  @Test
  void torchIsTorchsOwn() {
    // torch.manual_seed(0); torch.randn(4)
    assertThat(NativeNoise.torch(0, 1, 4))
        .containsExactly(new float[] {1.5410f, -0.2934f, -2.1788f, 0.5684f}, within(5e-5f));
  }

  @Test
  void refusesNoElements() {
    assertThatThrownBy(() -> NativeNoise.philox(0, 0, 0, 0))
        .isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> NativeNoise.torch(0, 1, -1)).isInstanceOf(InvalidInputException.class);
  }
}
