// SPDX-License-Identifier: Apache-2.0
package dev.motley.image;

import dev.motley.InvalidInputException;
import java.util.Arrays;

/** Pictures of one size side by side on white, in rows, with a narrow gap between them. What was not put there is white. */
public final class ContactSheet {
  private static final int CHANNELS = 3;

  /** The gap is this part of a picture's shorter side, and at least the pixels below. */
  private static final int GAP_SHARE = 64;

  private static final int LEAST_GAP = 2;

  private final int columns;
  private final int rows;
  private final int width;
  private final int height;
  private final int gap;
  private final byte[] pixels;

  /**
   * An empty sheet.
   *
   * @param columns pictures in a row
   * @param rows of pictures
   * @param width of each picture in pixels
   * @param height of each picture in pixels
   * @throws InvalidInputException if the sheet has more pixels than {@link PictureReader} reads
   */
  public ContactSheet(int columns, int rows, int width, int height) {
    this.columns = columns;
    this.rows = rows;
    this.width = width;
    this.height = height;
    gap = Math.max(LEAST_GAP, Math.min(width, height) / GAP_SHARE);
    double area = side(columns, width) * side(rows, height);
    if (columns < 1 || rows < 1 || area > PictureReader.MAX_PIXELS) {
      throw new InvalidInputException(
          "a sheet of %dx%d pictures of %dx%d pixels is too large: at most %,d pixels fit"
              .formatted(columns, rows, width, height, PictureReader.MAX_PIXELS));
    }
    pixels = new byte[CHANNELS * (int) area];
    Arrays.fill(pixels, (byte) 0xff);
  }

  private double side(int count, int size) {
    return (double) count * size + (count - 1.0) * gap;
  }

  /**
   * Puts a picture onto the sheet.
   *
   * @param i its place: columns first, then rows
   * @param picture of the size that the sheet was made for
   */
  public void put(int i, RgbImage picture) {
    if (i < 0 || i >= columns * rows || picture.width() != width || picture.height() != height) {
      throw new InvalidInputException(
          "picture %d of %dx%d pixels does not fit a sheet of %d of %dx%d"
              .formatted(i, picture.width(), picture.height(), columns * rows, width, height));
    }
    int stride = CHANNELS * (int) side(columns, width);
    int left = CHANNELS * (i % columns) * (width + gap);
    int top = i / columns * (height + gap);
    int row = CHANNELS * width;
    for (int y = 0; y < height; y++) {
      System.arraycopy(picture.pixels(), y * row, pixels, (top + y) * stride + left, row);
    }
  }

  /** The sheet as it is now. */
  public RgbImage image() {
    return new RgbImage((int) side(rows, height), (int) side(columns, width), pixels.clone());
  }
}
