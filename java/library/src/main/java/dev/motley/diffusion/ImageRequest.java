// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import dev.motley.InvalidInputException;
import java.util.Optional;

/**
 * One picture to draw. It comes out the same in any batch.
 *
 * @param prompt what it shows
 * @param negative what guidance leads away from
 * @param guidance scale of classifier-free guidance; exactly 1 needs, and runs, no unconditional pass
 * @param eta DDIM's eta, from 0 (deterministic) to 1
 * @param noise the generator of its noise
 * @param seed of the noise
 * @param noiseKey stream of the noise within the seed, for {@link NoiseGenerator#PHILOX}
 * @param latents its initial noise, one image's, instead of the generator's
 * @param image latents of a picture to begin from, one image's, as {@link DiffusionPipeline#encode} gives them
 */
public record ImageRequest(
    Conditioning prompt,
    Conditioning negative,
    float guidance,
    float eta,
    NoiseGenerator noise,
    long seed,
    long noiseKey,
    Optional<Latents> latents,
    Optional<Latents> image) {

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

  /** A picture from texts and drawn noise. */
  public ImageRequest(
      String prompt, String negativePrompt, float guidance, float eta, NoiseGenerator noise, long seed, long noiseKey) {
    this(
        new Conditioning.Text(prompt), new Conditioning.Text(negativePrompt), guidance, eta, noise, seed, noiseKey,
        Optional.empty(), Optional.empty());
  }

  /** A picture with plain guidance, eta 0 and noise from (seed, 0). */
  public static ImageRequest of(String prompt, double guidance, long seed) {
    return of(new Conditioning.Text(prompt), Conditioning.NOTHING, guidance, seed);
  }

  /** The same from any conditioning. */
  public static ImageRequest of(Conditioning prompt, Conditioning negative, double guidance, long seed) {
    return new ImageRequest(
        prompt, negative, (float) guidance, 0, NoiseGenerator.PHILOX, seed, 0, Optional.empty(), Optional.empty());
  }

  /** The same, begun from this initial noise. */
  public ImageRequest withLatents(Latents initial) {
    return new ImageRequest(prompt, negative, guidance, eta, noise, seed, noiseKey, Optional.of(initial), image);
  }

  /** The same, begun from a picture: see {@link SamplingOptions#strength}. */
  public ImageRequest withImage(Latents picture) {
    return new ImageRequest(prompt, negative, guidance, eta, noise, seed, noiseKey, latents, Optional.of(picture));
  }
}
