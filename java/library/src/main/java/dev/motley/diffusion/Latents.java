// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

/**
 * Denoised latents of a batch, scaled as the sampler leaves them.
 *
 * @param count images
 * @param height of the latents
 * @param width of the latents
 * @param values (count, channels, height, width)
 */
public record Latents(int count, int height, int width, float[] values) {}
