// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.InvalidInputException;
import org.junit.jupiter.api.Test;

class SizesTest {

  @Test
  void multiplies() {
    assertThat(Sizes.elements("x", 2, 3, 4)).isEqualTo(24);
    assertThat(Sizes.elements("x")).isEqualTo(1);
    assertThat(Sizes.count("x", 24, 4, 3)).isEqualTo(2);
  }

  @Test
  void namesBothSizes() {
    assertThatThrownBy(() -> Sizes.check("latents", 5, 2, 4))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("latents has 5 elements, expected (2, 4) = 8");
    assertThatThrownBy(() -> Sizes.count("token ids", 76, 77))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("token ids has 76 elements, expected a multiple of (77) = 77");
    assertThatThrownBy(() -> Sizes.count("token ids", 0, 77))
        .isInstanceOf(InvalidInputException.class);
  }

  @Test
  void refusesWhatOverflows() {
    assertThatThrownBy(() -> Sizes.elements("x", Long.MAX_VALUE, 2))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("overflows");
    assertThatThrownBy(() -> Sizes.length("x", Integer.MAX_VALUE, 2))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("smaller batch");
    assertThatThrownBy(() -> Sizes.elements("x", 2, 0)).isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> Sizes.elements("x", 2, -1)).isInstanceOf(InvalidInputException.class);
  }
}
