// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import dev.motley.InvalidInputException;

/**
 * One picture to draw. It comes out the same in any batch.
 *
 * @param prompt what it shows; longer than the model's 77 tokens is cut, with a warning
 * @param negativePrompt what guidance leads away from; empty for plain unconditional guidance
 * @param guidance scale of classifier-free guidance; exactly 1 needs, and runs, no unconditional pass
 * @param eta DDIM's eta, from 0 (deterministic) to 1
 * @param noise the generator of its noise
 * @param seed of the noise
 * @param noiseKey stream of the noise within the seed, for {@link NoiseGenerator#PHILOX}
 */
public record ImageRequest(
    String prompt,
    String negativePrompt,
    float guidance,
    float eta,
    NoiseGenerator noise,
    long seed,
    long noiseKey) {

  /** The largest guidance scale: far above any use, a larger one is a slip. */
  public static final int MAX_GUIDANCE = 100;

  /** The largest eta: it makes DDIM the ancestral sampler of DDPM (Song et al. 2021, section 4.1). */
  public static final int MAX_ETA = 1;

  public ImageRequest {
    if (!(guidance >= 0 && guidance <= MAX_GUIDANCE)) {
      throw new InvalidInputException("guidance must be from 0 to %d, got %s".formatted(MAX_GUIDANCE, guidance));
    }
    if (!(eta >= 0 && eta <= MAX_ETA)) {
      throw new InvalidInputException("eta must be from 0 to %d, got %s".formatted(MAX_ETA, eta));
    }
  }

  /** A picture with plain guidance, eta 0 and noise from (seed, 0). */
  public static ImageRequest of(String prompt, double guidance, long seed) {
    return new ImageRequest(prompt, "", (float) guidance, 0, NoiseGenerator.PHILOX, seed, 0);
  }
}
