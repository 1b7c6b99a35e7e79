// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.motley.testing.Jvm;
import org.junit.jupiter.api.Test;

class LeakWatchTest {

  @Test
  void tellsWhereAForgottenHandleWasCreated() throws Exception {
    String output = Jvm.run(Forget.class, "-Dmotley.trackLeaks=true").output();
    assertThat(output).contains("NativeWeights was never closed", "LeakWatchTest$Forget.forget");
    assertThat(output).doesNotContain("LeakWatchTest$Forget.close");
  }

  @Test
  void saysNothingUnlessAsked() throws Exception {
    assertThat(Jvm.run(Forget.class).output()).isEqualToIgnoringNewLines("done");
  }

  /** Closes one handle and forgets another. */
  static final class Forget {
    public static void main(String[] args) throws InterruptedException {
      close();
      forget();
      System.gc();
      Thread.sleep(500); // for the cleaner's thread
      System.out.println("done");
    }

    private static void close() {
      NativeWeights.create().close();
    }

    private static void forget() {
      NativeWeights.create();
    }
  }
}
