// SPDX-License-Identifier: Apache-2.0
package dev.motley.image;

import dev.motley.InvalidInputException;

/**
 * One picture.
 *
 * @param height rows
 * @param width columns
 * @param pixels (height, width, 3) RGB, one byte each, 0..255 unsigned; not copied, not to be
 *     changed
 */
public record RgbImage(int height, int width, byte[] pixels) {

  /** Checks the sizes. */
  public RgbImage {
    if (height < 1 || width < 1 || 3L * height * width != pixels.length) {
      throw new InvalidInputException(
          "a picture of "
              + width
              + "x"
              + height
              + " RGB pixels cannot have "
              + pixels.length
              + " bytes");
    }
  }

  /** The picture at another size. */
  public RgbImage resized(int newHeight, int newWidth, Resize.Filter filter) {
    if (newHeight == height && newWidth == width) {
      return this;
    }
    Resize resize = new Resize(height, width, newHeight, newWidth, filter);
    return new RgbImage(newHeight, newWidth, resize.apply(pixels));
  }
}
