// SPDX-License-Identifier: Apache-2.0
package dev.motley.tricks;

import dev.motley.config.Names;
import java.util.List;

/** How random guidance draws its scale, which the paper leaves open. */
public enum GuidanceDraw {
  /** A real number for every image: the {@code paper} preset. */
  REAL_PER_IMAGE("real-per-image"),
  /** A whole number for every image. */
  INTEGER_PER_IMAGE("integer-per-image"),
  /** One whole number for the whole plan, as the original code does: the {@code repo} preset. */
  INTEGER_PER_RUN("integer-per-run");

  private final String id;

  GuidanceDraw(String id) {
    this.id = id;
  }

  /**
   * Returns the name in files and options.
   *
   * @return for example {@code real-per-image}
   */
  public String id() {
    return id;
  }

  static GuidanceDraw named(String id) {
    return Names.find("guidance draw", id, List.of(values()), GuidanceDraw::id);
  }
}
