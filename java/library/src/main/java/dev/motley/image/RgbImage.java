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

  /**
   * The picture scaled to fill another size with its proportions kept; what lies outside is cut off evenly at both ends.
   *
   * @throws InvalidInputException if it is too long and narrow for that
   */
  public RgbImage filling(int newHeight, int newWidth, Resize.Filter filter) {
    double scale = Math.max((double) newHeight / height, (double) newWidth / width);
    long scaledHeight = Math.max(newHeight, Math.round(scale * height));
    long scaledWidth = Math.max(newWidth, Math.round(scale * width));
    if (scaledHeight * (double) scaledWidth > PictureReader.MAX_PIXELS) {
      throw new InvalidInputException(
          "a picture of %dx%d pixels is too long and narrow to fill %dx%d".formatted(width, height, newWidth, newHeight));
    }
    RgbImage scaled = resized((int) scaledHeight, (int) scaledWidth, filter);
    int top = (scaled.height - newHeight) / 2;
    int left = (scaled.width - newWidth) / 2;
    byte[] cut = new byte[3 * newHeight * newWidth];
    for (int y = 0; y < newHeight; y++) {
      System.arraycopy(scaled.pixels, 3 * ((top + y) * scaled.width + left), cut, 3 * y * newWidth, 3 * newWidth);
    }
    return new RgbImage(newHeight, newWidth, cut);
  }
}
