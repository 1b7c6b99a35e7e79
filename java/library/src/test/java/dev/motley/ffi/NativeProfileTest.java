// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.Precision;
import org.junit.jupiter.api.Test;

class NativeProfileTest {

  @Test
  void isEmptyWithoutWorkAndStopsWithATaskThatFails() {
    assertThat(NativeProfile.of(() -> {}).layers()).isEmpty();
    assertThatThrownBy(
            () ->
                NativeProfile.of(
                    () -> {
                      throw new IllegalStateException("its own");
                    }))
        .hasMessage("its own");
  }

  @Test
  void measuresWhatTheMachineCanDo() {
    NativePeaks peaks = NativePeaks.measure(Precision.BF16);
    assertThat(peaks.multiplyAdd()).isBetween(1e8, 1e15);
    assertThat(peaks.product()).isBetween(1e7, 1e15);
    assertThat(peaks.copy()).isBetween(1e8, 1e14);
  }
}
