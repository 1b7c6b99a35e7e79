// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

/** What an automatic look at a drawn picture found. */
public enum Quality {
  /** Nothing amiss. */
  GOOD("good"),
  /** A value was NaN or infinite, which half precision can cause. */
  NOT_FINITE("not-finite"),
  /** Every pixel has the same colour, as a blackened picture has. */
  CONSTANT("constant");

  private final String id;

  Quality(String id) {
    this.id = id;
  }

  /**
   * Returns the name in files.
   *
   * @return for example {@code constant}
   */
  public String id() {
    return id;
  }
}
