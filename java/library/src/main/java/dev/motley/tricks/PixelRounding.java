// SPDX-License-Identifier: Apache-2.0
package dev.motley.tricks;

import dev.motley.config.Names;
import java.util.List;

/** How a decoded value in [0, 255] becomes a byte. */
public enum PixelRounding {
  /** To the nearest, as diffusers does. */
  ROUND("round"),
  /** Towards zero, as CompVis' txt2img did for the paper. */
  TRUNCATE("truncate");

  private final String id;

  PixelRounding(String id) {
    this.id = id;
  }

  /**
   * Returns the name in files and options.
   *
   * @return for example {@code round}
   */
  public String id() {
    return id;
  }

  static PixelRounding named(String id) {
    return Names.find("pixel rounding", id, List.of(values()), PixelRounding::id);
  }
}
