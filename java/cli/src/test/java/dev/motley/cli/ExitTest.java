// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.motley.InvalidInputException;
import org.junit.jupiter.api.Test;

class ExitTest {
  @Test
  void saysWhichOfJavasMemoriesIsUsedUp() {
    var buffers = new OutOfMemoryError("Cannot reserve 10 bytes of direct buffer memory (allocated: 1, limit: 2)");
    assertThat(Exit.of(buffers)).isEqualTo(Exit.ENVIRONMENT);
    assertThat(Exit.message(buffers))
        .isEqualTo(
            "out of Java's memory: Cannot reserve 10 bytes of direct buffer memory (allocated: 1, limit: 2);"
                + " give it more by MOTLEY_JAVA_OPTIONS=-Xmx8g");
  }

  @Test
  void whatUsersCanCorrectIsSaidAsItIs() {
    assertThat(Exit.message(new InvalidInputException("a: b"))).isEqualTo("a: b");
    assertThat(Exit.message(new IllegalStateException("a\nb"))).isEqualTo("unexpected IllegalStateException: a (--stacktrace shows where)");
  }
}
