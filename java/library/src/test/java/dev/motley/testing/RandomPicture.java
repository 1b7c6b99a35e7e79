// SPDX-License-Identifier: Apache-2.0
package dev.motley.testing;

import dev.motley.image.RgbImage;
import java.util.Random;

/** Pictures of noise, the same for the same size. */
public final class RandomPicture {

  private RandomPicture() {}

  /**
   * A picture.
   *
   * @param height rows
   * @param width columns
   * @return bytes drawn evenly, seeded by the size
   */
  public static RgbImage of(int height, int width) {
    byte[] pixels = new byte[3 * height * width];
    new Random(height * 1000L + width).nextBytes(pixels);
    return new RgbImage(height, width, pixels);
  }
}
