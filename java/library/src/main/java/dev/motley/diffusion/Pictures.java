// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import dev.motley.image.RgbImage;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Decoded pictures.
 *
 * @param count pictures
 * @param height in pixels
 * @param width in pixels
 * @param pixels (count, height, width, 3), red, green, blue
 * @param quality what an automatic look found, one per picture
 */
public record Pictures(int count, int height, int width, byte[] pixels, List<Quality> quality) {

  /** Copies the list. */
  public Pictures {
    quality = List.copyOf(quality);
  }

  /**
   * Copies one picture out.
   *
   * @param i its number
   * @return (height, width, 3)
   */
  public byte[] picture(int i) {
    int size = height * width * 3;
    return Arrays.copyOfRange(pixels, i * size, (i + 1) * size);
  }

  /**
   * Copies all pictures out.
   *
   * @return one image per picture
   */
  public List<RgbImage> images() {
    return IntStream.range(0, count).mapToObj(i -> new RgbImage(height, width, picture(i))).toList();
  }
}
