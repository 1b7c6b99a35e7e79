// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PromptCacheTest {

  /** Stable Diffusion v1 takes 96 KiB a token. */
  @Test
  void longerPromptsAreFewer() {
    assertThat(PromptCache.capacity(96 << 10, 77)).isEqualTo(70);
    assertThat(PromptCache.capacity(96 << 10, 770)).isEqualTo(7);
    assertThat(PromptCache.capacity(96 << 10, 1 << 20)).as("the one that is drawn").isEqualTo(1);
  }
}
