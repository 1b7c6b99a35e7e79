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
 * @param strength for pictures that begin from one: the part of the steps that is run, above 0, at most 1. As in diffusers,
 *     {@code int(steps * strength)} of them
 */
public record SamplingOptions(int width, int height, int steps, boolean truncate, double strength) {

  public SamplingOptions {
    if (steps < 1) {
      throw new InvalidInputException("steps must be at least 1, got " + steps);
    }
    if (!(strength > 0 && strength <= 1)) {
      throw new InvalidInputException("strength must be above 0 and at most 1, got " + strength);
    }
    if ((int) (steps * strength) < 1) {
      throw new InvalidInputException("strength %s leaves none of %d steps".formatted(strength, steps));
    }
  }

  /** All steps. */
  public SamplingOptions(int width, int height, int steps, boolean truncate) {
    this(width, height, steps, truncate, 1);
  }

  /** Steps left out at the beginning. */
  public int firstStep() {
    return steps - Math.min((int) (steps * strength), steps);
  }
}
