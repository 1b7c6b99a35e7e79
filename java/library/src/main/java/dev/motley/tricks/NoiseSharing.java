// SPDX-License-Identifier: Apache-2.0
package dev.motley.tricks;

import dev.motley.config.Names;
import java.util.List;

/** Which images of a plan begin from the same noise. */
public enum NoiseSharing {
  /** Every image has noise of its own. */
  NONE("none"),
  /**
   * Image k of every class, trick and domain begins from the same noise: the paper's Figure 2, and
   * what the original code does by starting every call from one seed.
   */
  ROWS("rows");

  private final String id;

  NoiseSharing(String id) {
    this.id = id;
  }

  /**
   * Returns the name in files and options.
   *
   * @return for example {@code none}
   */
  public String id() {
    return id;
  }

  static NoiseSharing named(String id) {
    return Names.find("noise sharing", id, List.of(values()), NoiseSharing::id);
  }
}
