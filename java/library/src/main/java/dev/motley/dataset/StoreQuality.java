// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

/** What an automatic look at a drawn image found. */
public enum StoreQuality {
  /** Nothing amiss. */
  GOOD("good"),
  /** A value was NaN or infinite, which half precision can cause. */
  NOT_FINITE("not-finite"),
  /** Every pixel has the same colour, as a blackened image has. */
  CONSTANT("constant");

  /** The bits by which the native decoder says the same. */
  private static final int NOT_FINITE_BIT = 1;

  private static final int CONSTANT_BIT = 2;

  private final String id;

  StoreQuality(String id) {
    this.id = id;
  }

  /**
   * Returns the name in an image's JSON.
   *
   * @return for example {@code constant}
   */
  public String id() {
    return id;
  }

  /**
   * Reads the native decoder's flags.
   *
   * @param flags bit 0: not finite; bit 1: constant
   * @return the graver of the two
   */
  public static StoreQuality ofFlags(int flags) {
    if ((flags & NOT_FINITE_BIT) != 0) {
      return NOT_FINITE;
    }
    return (flags & CONSTANT_BIT) != 0 ? CONSTANT : GOOD;
  }

  /**
   * Looks at the values of one image.
   *
   * @param values (pixels, channels), in any range
   * @param channels values per pixel
   * @return what is wrong
   */
  public static StoreQuality of(float[] values, int channels) {
    boolean constant = true;
    for (int i = 0; i < values.length; i++) {
      if (!Float.isFinite(values[i])) {
        return NOT_FINITE;
      }
      constant &= values[i] == values[i % channels];
    }
    return constant ? CONSTANT : GOOD;
  }

  /**
   * Looks at the bytes of one image.
   *
   * @param pixels (pixels, channels)
   * @param channels bytes per pixel
   * @return {@link #CONSTANT} or {@link #GOOD}
   */
  public static StoreQuality of(byte[] pixels, int channels) {
    for (int i = channels; i < pixels.length; i++) {
      if (pixels[i] != pixels[i % channels]) {
        return GOOD;
      }
    }
    return CONSTANT;
  }
}
