// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import dev.motley.InvalidInputException;
import java.util.Arrays;

/**
 * Latents of a batch, scaled as the sampler leaves them.
 *
 * @param count images
 * @param height of the latents
 * @param width of the latents
 * @param values (count, channels, height, width)
 */
public record Latents(int count, int height, int width, float[] values) {

  public Latents {
    if (count < 1 || height < 1 || width < 1 || values.length % Math.multiplyExact(Math.multiplyExact(count, height), width) != 0) {
      throw new InvalidInputException("%d values are not %d latents of %d x %d".formatted(values.length, count, height, width));
    }
  }

  /** One image's. */
  public Latents image(int i) {
    int size = values.length / count;
    return new Latents(1, height, width, Arrays.copyOfRange(values, i * size, (i + 1) * size));
  }
}
