// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

/** Where noise comes from. */
public enum NoiseGenerator {
  /** Counter-based Philox normals of (seed, key): any image can be drawn on its own, on any device. */
  PHILOX,
  /** torch's CPU generator, one per image: the noise that diffusers draws for {@code torch.Generator().manual_seed(seed)}. */
  TORCH
}
