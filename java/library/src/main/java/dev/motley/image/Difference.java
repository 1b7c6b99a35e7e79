// SPDX-License-Identifier: Apache-2.0
package dev.motley.image;

import java.util.Locale;

/**
 * How far two pictures of one size are apart.
 *
 * @param values compared: three a pixel
 * @param differing of these
 * @param most by which one differs, in steps of 255
 */
public record Difference(long values, long differing, int most) {

  /** Compares two pictures of one size. */
  public static Difference of(RgbImage a, RgbImage b) {
    if (a.width() != b.width() || a.height() != b.height()) {
      throw new IllegalArgumentException("pictures of different sizes");
    }
    long differing = 0;
    int most = 0;
    for (int i = 0; i < a.pixels().length; i++) {
      int by = Math.abs((a.pixels()[i] & 0xff) - (b.pixels()[i] & 0xff));
      differing += by == 0 ? 0 : 1;
      most = Math.max(most, by);
    }
    return new Difference(a.pixels().length, differing, most);
  }

  /** {@code identical}, or for example {@code 12 of 3,072 values differ, most by 1}. */
  @Override
  public String toString() {
    return differing == 0
        ? "identical"
        : String.format(Locale.ROOT, "%,d of %,d values differ, most by %d", differing, values, most);
  }
}
