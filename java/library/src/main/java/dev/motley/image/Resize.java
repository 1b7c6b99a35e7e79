// SPDX-License-Identifier: Apache-2.0
package dev.motley.image;

import dev.motley.InvalidInputException;
import dev.motley.config.Names;
import java.util.List;
import java.util.Locale;

/**
 * Resizing between two fixed sizes: separable, width first, weights computed once. Immutable and
 * thread-safe.
 *
 * <p>The torch filters compute in float32 as {@code torch.nn.functional.interpolate(...,
 * align_corners=False)} does and round to even, as torchvision does for uint8 tensors; the Pillow
 * filters compute in Pillow's 22-bit fixed point and give its bytes.
 */
public final class Resize {

  /** How new pixels are made from old ones. */
  public enum Filter {
    /** torch, mode bilinear, no anti-aliasing: two neighbours, however far apart. */
    BILINEAR,
    /** torch, mode bilinear, antialias=True. */
    BILINEAR_AA,
    /** torch, mode bicubic, no anti-aliasing: four neighbours, however far apart. */
    BICUBIC,
    /** torch, mode bicubic, antialias=True. */
    BICUBIC_AA,
    /** Pillow's BILINEAR, which is anti-aliased. */
    PIL_BILINEAR,
    /** Pillow's BICUBIC, which is anti-aliased. */
    PIL_BICUBIC;

    /** The name in files and options, such as {@code bilinear_aa}. */
    public String id() {
      return name().toLowerCase(Locale.ROOT);
    }

    /**
     * Finds a filter by its {@link #id}.
     *
     * @throws InvalidInputException if there is none of that name; the nearest are offered
     */
    public static Filter named(String id) {
      return Names.find("resize filter", id, List.of(values()), Filter::id);
    }

    boolean fixedPoint() {
      return this == PIL_BILINEAR || this == PIL_BICUBIC;
    }
  }

  private static final int CHANNELS = 3;

  private final Filter filter;
  private final int height;
  private final int width;
  private final int newHeight;
  private final int newWidth;
  private final ResizeWeights columns;
  private final ResizeWeights rows;

  /** Prepares the weights for pictures of one size. */
  public Resize(int height, int width, int newHeight, int newWidth, Filter filter) {
    if (Math.min(Math.min(height, width), Math.min(newHeight, newWidth)) < 1) {
      throw new InvalidInputException(
          "cannot resize "
              + width
              + "x"
              + height
              + " to "
              + newWidth
              + "x"
              + newHeight
              + ": sizes start at 1");
    }
    this.filter = filter;
    this.height = height;
    this.width = width;
    this.newHeight = newHeight;
    this.newWidth = newWidth;
    columns = ResizeWeights.of(width, newWidth, filter);
    rows = ResizeWeights.of(height, newHeight, filter);
  }

  /**
   * Resizes one picture.
   *
   * @param pixels (height, width, 3)
   * @return (newHeight, newWidth, 3)
   */
  public byte[] apply(byte[] pixels) {
    if (pixels.length != CHANNELS * height * width) {
      throw new InvalidInputException(
          "a picture of " + width + "x" + height + " cannot have " + pixels.length + " bytes");
    }
    return filter.fixedPoint() ? fixedPoint(pixels) : rounded(pixels);
  }

  /**
   * Resizes one picture of floats by a torch filter, without rounding.
   *
   * @param pixels (height, width, 3)
   * @return (newHeight, newWidth, 3)
   */
  public float[] apply(float[] pixels) {
    if (filter.fixedPoint()) {
      throw new InvalidInputException(filter + " resizes bytes only");
    }
    if (pixels.length != CHANNELS * height * width) {
      throw new InvalidInputException(
          "a picture of " + width + "x" + height + " cannot have " + pixels.length + " values");
    }
    float[] narrow = new float[CHANNELS * height * newWidth];
    for (int y = 0; y < height; y++) {
      narrowRow(pixels, y * CHANNELS * width, narrow, y * CHANNELS * newWidth);
    }
    float[] result = new float[CHANNELS * newHeight * newWidth];
    float[] row = new float[CHANNELS * newWidth];
    for (int y = 0; y < newHeight; y++) {
      blendRows(narrow, y, row);
      System.arraycopy(row, 0, result, y * row.length, row.length);
    }
    return result;
  }

  private byte[] rounded(byte[] pixels) {
    float[] wide = new float[CHANNELS * width];
    float[] narrow = new float[CHANNELS * height * newWidth];
    for (int y = 0; y < height; y++) {
      if (rows.uses(y)) {
        for (int i = 0; i < wide.length; i++) {
          wide[i] = pixels[y * wide.length + i] & 0xff;
        }
        narrowRow(wide, 0, narrow, y * CHANNELS * newWidth);
      }
    }
    byte[] result = new byte[CHANNELS * newHeight * newWidth];
    float[] row = new float[CHANNELS * newWidth];
    for (int y = 0; y < newHeight; y++) {
      blendRows(narrow, y, row);
      for (int i = 0; i < row.length; i++) {
        result[y * row.length + i] = (byte) Math.rint(Math.clamp(row[i], 0f, 255f));
      }
    }
    return result;
  }

  /** (width, 3) to (newWidth, 3). */
  private void narrowRow(float[] pixels, int from, float[] narrow, int to) {
    float[] weights = columns.floats();
    for (int x = 0; x < newWidth; x++) {
      int at = from + CHANNELS * columns.first(x);
      float red = 0;
      float green = 0;
      float blue = 0;
      for (int k = columns.begin(x); k < columns.begin(x + 1); k++, at += CHANNELS) {
        float weight = weights[k];
        red += weight * pixels[at];
        green += weight * pixels[at + 1];
        blue += weight * pixels[at + 2];
      }
      narrow[to + CHANNELS * x] = red;
      narrow[to + CHANNELS * x + 1] = green;
      narrow[to + CHANNELS * x + 2] = blue;
    }
  }

  /** Row y of the result, (newWidth, 3), from (height, newWidth, 3). */
  private void blendRows(float[] narrow, int y, float[] row) {
    java.util.Arrays.fill(row, 0);
    int at = rows.first(y) * row.length;
    for (int k = rows.begin(y); k < rows.begin(y + 1); k++, at += row.length) {
      float weight = rows.floats()[k];
      for (int i = 0; i < row.length; i++) {
        row[i] += weight * narrow[at + i];
      }
    }
  }

  /** Pillow's ImagingResample for 8 bits per channel: each pass rounds to a byte. */
  private byte[] fixedPoint(byte[] pixels) {
    byte[] narrow = new byte[CHANNELS * height * newWidth];
    int[] weights = columns.fixed();
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < newWidth; x++) {
        int at = CHANNELS * (y * width + columns.first(x));
        int red = ResizeWeights.HALF;
        int green = ResizeWeights.HALF;
        int blue = ResizeWeights.HALF;
        for (int k = columns.begin(x); k < columns.begin(x + 1); k++, at += CHANNELS) {
          int weight = weights[k];
          red += weight * (pixels[at] & 0xff);
          green += weight * (pixels[at + 1] & 0xff);
          blue += weight * (pixels[at + 2] & 0xff);
        }
        int out = CHANNELS * (y * newWidth + x);
        narrow[out] = toByte(red);
        narrow[out + 1] = toByte(green);
        narrow[out + 2] = toByte(blue);
      }
    }
    byte[] result = new byte[CHANNELS * newHeight * newWidth];
    int[] row = new int[CHANNELS * newWidth];
    for (int y = 0; y < newHeight; y++) {
      java.util.Arrays.fill(row, ResizeWeights.HALF);
      int at = rows.first(y) * row.length;
      for (int k = rows.begin(y); k < rows.begin(y + 1); k++, at += row.length) {
        int weight = rows.fixed()[k];
        for (int i = 0; i < row.length; i++) {
          row[i] += weight * (narrow[at + i] & 0xff);
        }
      }
      for (int i = 0; i < row.length; i++) {
        result[y * row.length + i] = toByte(row[i]);
      }
    }
    return result;
  }

  private static byte toByte(int fixed) {
    return (byte) Math.clamp(fixed >> ResizeWeights.PRECISION, 0, 255);
  }
}
