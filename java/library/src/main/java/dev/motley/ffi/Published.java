// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import java.util.Set;

/** Work that the sampler saves because the result is the same but for rounding; in a request it is done as published, to compare. */
public enum Published {
  /** Doubling, then a convolution; else a 2x2 convolution for each of the four sub-pixel phases. */
  UPSAMPLE,
  /** Both halves of guidance from the first layer on; else from the first cross-attention on. */
  PREFIX,
  /** A prompt's keys and values at every step; else once. */
  CONTEXT,
  /** The time embedding at every step; else a table. */
  TIME,
  /** Both halves where guidance is 1, too; else the conditional one alone. */
  GUIDANCE;

  int bit() {
    return 1 << ordinal();
  }

  static int bits(Set<Published> work) {
    return work.stream().mapToInt(Published::bit).sum();
  }
}
