// SPDX-License-Identifier: Apache-2.0
package dev.motley.tricks;

import dev.motley.config.Names;
import java.util.List;

/** The generator of an image's noise. */
public enum NoiseSource {
  /** Philox4x32-10 by (seed, noise key): the same on any device, in any batch. */
  PHILOX("philox"),
  /** {@code torch.randn} on torch's CPU generator, with a seed of its own for every image. */
  TORCH("torch");

  private final String id;

  NoiseSource(String id) {
    this.id = id;
  }

  /**
   * Returns the name in files and options.
   *
   * @return for example {@code philox}
   */
  public String id() {
    return id;
  }

  static NoiseSource named(String id) {
    return Names.find("noise source", id, List.of(values()), NoiseSource::id);
  }
}
