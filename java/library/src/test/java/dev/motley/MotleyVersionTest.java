// SPDX-License-Identifier: Apache-2.0
package dev.motley;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class MotleyVersionTest {

  @Test
  void isTheVersionOfTheBuild() {
    assertThat(MotleyVersion.current()).matches("\\d+\\.\\d+\\.\\d+(-SNAPSHOT)?");
  }
}
