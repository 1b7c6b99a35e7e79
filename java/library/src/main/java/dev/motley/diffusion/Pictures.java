// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import java.util.Arrays;

/**
 * Decoded pictures.
 *
 * @param count pictures
 * @param height in pixels
 * @param width in pixels
 * @param pixels (count, height, width, 3), red, green, blue
 * @param faults one per picture
 */
public record Pictures(int count, int height, int width, byte[] pixels, Fault[] faults) {

  /** What is wrong with a picture. */
  public enum Fault {
    /** Nothing. */
    NONE,
    /** The decoder gave a NaN or an infinity. */
    NOT_FINITE,
    /** All pixels have one colour. */
    CONSTANT
  }

  /** The pixels of picture {@code i}: (height, width, 3). */
  public byte[] picture(int i) {
    int size = height * width * 3;
    return Arrays.copyOfRange(pixels, i * size, (i + 1) * size);
  }
}
