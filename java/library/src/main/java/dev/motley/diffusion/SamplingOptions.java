// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import dev.motley.InvalidInputException;

/**
 * What a batch has in common.
 *
 * @param width of the pictures in pixels
 * @param height of the pictures in pixels
 * @param steps DDIM steps; 40 in the paper
 * @param truncate whether pixel values are cut to bytes, as CompVis' scripts do, instead of rounded, as diffusers does
 */
public record SamplingOptions(int width, int height, int steps, boolean truncate) {

  public SamplingOptions {
    if (steps < 1) {
      throw new InvalidInputException("steps must be at least 1, got " + steps);
    }
  }
}
