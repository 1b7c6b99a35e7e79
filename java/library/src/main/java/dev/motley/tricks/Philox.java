// SPDX-License-Identifier: Apache-2.0
package dev.motley.tricks;

/**
 * Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): a random
 * function of key and counter, so that no draw depends on another.
 */
final class Philox {

  private static final long MULTIPLIER_0 = 0xD2511F53L;
  private static final long MULTIPLIER_1 = 0xCD9E8D57L;
  private static final int WEYL_0 = 0x9E3779B9;
  private static final int WEYL_1 = 0xBB67AE85;
  private static final int ROUNDS = 10;

  private Philox() {}

  /** The first word at counter (key low, key high, purpose, 0) under the seed. */
  static int word(long seed, long key, int purpose) {
    int[] counter = {(int) key, (int) (key >>> 32), purpose, 0};
    return block(counter, (int) seed, (int) (seed >>> 32))[0];
  }

  /** The four words at a counter of four, under a key of two. */
  static int[] block(int[] counter, int key0, int key1) {
    int[] c = counter.clone();
    for (int round = 0; round < ROUNDS; round++) {
      long p0 = MULTIPLIER_0 * (c[0] & 0xffffffffL);
      long p1 = MULTIPLIER_1 * (c[2] & 0xffffffffL);
      int high0 = (int) (p0 >>> 32);
      int high1 = (int) (p1 >>> 32);
      c[0] = high1 ^ c[1] ^ key0;
      c[1] = (int) p1;
      c[2] = high0 ^ c[3] ^ key1;
      c[3] = (int) p0;
      key0 += WEYL_0;
      key1 += WEYL_1;
    }
    return c;
  }
}
