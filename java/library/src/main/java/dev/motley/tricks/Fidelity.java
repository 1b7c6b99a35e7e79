// SPDX-License-Identifier: Apache-2.0
package dev.motley.tricks;

import dev.motley.config.Names;
import java.util.Arrays;
import java.util.List;

/** Whom to follow where the paper and its original code differ. */
public enum Fidelity {
  /** The paper's text: a real guidance scale per image, every prompt as printed. */
  PAPER("paper", 0),
  /**
   * The original code: one whole guidance scale per run, {@code an image of {class}} without its
   * article for random guidance, one noise per row, bytes truncated, seed 64.
   */
  REPO("repo", 64);

  private final String id;
  private final long seed;

  Fidelity(String id, long seed) {
    this.id = id;
    this.seed = seed;
  }

  /**
   * Returns the name in files and options.
   *
   * @return {@code paper} or {@code repo}
   */
  public String id() {
    return id;
  }

  /**
   * Returns the seed a plan has unless told otherwise.
   *
   * @return the default seed
   */
  public long seed() {
    return seed;
  }

  /**
   * Finds a preset by its {@link #id}.
   *
   * @param id {@code paper} or {@code repo}
   * @return the preset
   * @throws dev.motley.InvalidInputException if there is none of that name
   */
  public static Fidelity named(String id) {
    return Names.find("preset", id, List.of(values()), Fidelity::id);
  }

  /**
   * Lists the names {@link #named} knows.
   *
   * @return all ids
   */
  public static List<String> ids() {
    return Arrays.stream(values()).map(Fidelity::id).toList();
  }

  GuidanceRule guidance() {
    return GuidanceRule.paper(
        this == REPO ? GuidanceDraw.INTEGER_PER_RUN : GuidanceDraw.REAL_PER_IMAGE);
  }

  PromptStyle prompts(PromptStyle paper) {
    return this == REPO ? paper.with(Trick.RANDOM_GUIDANCE, PromptStyle.REPO_RANDOM) : paper;
  }

  NoiseSharing noise() {
    return this == REPO ? NoiseSharing.ROWS : NoiseSharing.NONE;
  }

  PixelRounding rounding() {
    return this == REPO ? PixelRounding.TRUNCATE : PixelRounding.ROUND;
  }
}
