// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

/** Watches a sampling step by step; may show what the pictures are going to be, and stop it. */
@FunctionalInterface
public interface StepListener {
  /**
   * Called after each step, on the thread that draws.
   *
   * @param done steps
   * @param total steps
   * @param preview the denoised latents as this step predicts them: {@link DiffusionPipeline#decode} makes pictures of them
   * @return false to stop
   */
  boolean onStep(long done, long total, Latents preview);
}
