// SPDX-License-Identifier: Apache-2.0
package dev.motley.tricks;

import dev.motley.config.Names;
import java.util.Arrays;
import java.util.List;

/**
 * One of the paper's ways of drawing a class (its section 4.3). The union of several is "all
 * combined"; see {@link TrickMix}.
 */
public enum Trick {
  /** The naive case: {@code an image of a {class}} at a fixed guidance scale. */
  BASE_CLASS("base-class"),
  /** Nothing but the class name: {@code {class}}. */
  CLASS_PROMPT("class-prompt"),
  /** A domain from a list: {@code a {domain} of a {class}}. */
  MULTI_DOMAIN("multi-domain"),
  /** The base prompt with a random guidance scale. */
  RANDOM_GUIDANCE("random-guidance");

  private final String id;

  Trick(String id) {
    this.id = id;
  }

  /**
   * Returns the trick's name in files, keys and options.
   *
   * @return for example {@code multi-domain}
   */
  public String id() {
    return id;
  }

  /**
   * Finds a trick by its {@link #id}.
   *
   * @param id for example {@code multi-domain}
   * @return the trick
   * @throws dev.motley.InvalidInputException if there is none of that name; the nearest is offered
   */
  public static Trick named(String id) {
    return Names.find("trick", id, List.of(values()), Trick::id);
  }

  /**
   * Lists the names {@link #named} knows.
   *
   * @return all ids, in the paper's order
   */
  public static List<String> ids() {
    return Arrays.stream(values()).map(Trick::id).toList();
  }
}
