// SPDX-License-Identifier: Apache-2.0
package dev.motley.tricks;

import dev.motley.InvalidInputException;
import dev.motley.diffusion.ImageRequest;

/**
 * The classifier-free guidance scales of a plan.
 *
 * @param fixed the scale of every trick but random guidance
 * @param low the lowest scale of random guidance
 * @param high the highest
 * @param draw how it is drawn between them
 */
public record GuidanceRule(float fixed, float low, float high, GuidanceDraw draw) {

  /** CompVis' default scale, which the original code leaves in place for every other trick. */
  public static final float COMPVIS_DEFAULT = 7.5f;

  /** Separates these draws from any other use of the same seed and key. */
  private static final int PURPOSE = 0x47554944; // "GUID"

  /** The key of the one draw that a whole run shares; no image has it. */
  private static final long RUN_KEY = -1L;

  /** Checks the range. */
  public GuidanceRule {
    if (!Float.isFinite(fixed) || !Float.isFinite(low) || !Float.isFinite(high)) {
      throw new InvalidInputException(
          "guidance must be finite, found %s and %s to %s".formatted(fixed, low, high));
    }
    if (Math.min(fixed, low) < 0 || Math.max(fixed, high) > ImageRequest.MAX_GUIDANCE) {
      throw new InvalidInputException(
          "guidance must be from 0 to %d, found %s and %s to %s".formatted(ImageRequest.MAX_GUIDANCE, fixed, low, high));
    }
    if (low > high) {
      throw new InvalidInputException(
          "guidance range is empty: low %s is above high %s".formatted(low, high));
    }
    if (draw != GuidanceDraw.REAL_PER_IMAGE && (low != Math.rint(low) || high != Math.rint(high))) {
      throw new InvalidInputException(
          "guidance draw '%s' needs whole numbers, found %s to %s".formatted(draw.id(), low, high));
    }
  }

  /**
   * The paper's rule: 7.5, and U(1, 5) for random guidance.
   *
   * @param draw how the random scale is drawn
   * @return the rule
   */
  public static GuidanceRule paper(GuidanceDraw draw) {
    return new GuidanceRule(COMPVIS_DEFAULT, 1, 5, draw);
  }

  /**
   * The scale of one image. It depends on the seed and the image's key only: Philox4x32-10 under
   * the seed, at the counter (key low, key high, purpose, 0); the first 32-bit word w gives the
   * real number low + (high - low) (w + 0.5) / 2^32, or the whole number low + floor(w n / 2^32) of
   * n.
   */
  float scale(Trick trick, long seed, long imageKey) {
    if (trick != Trick.RANDOM_GUIDANCE) {
      return fixed;
    }
    long key = draw == GuidanceDraw.INTEGER_PER_RUN ? RUN_KEY : imageKey;
    long word = Philox.word(seed, key, PURPOSE) & 0xffffffffL;
    if (draw == GuidanceDraw.REAL_PER_IMAGE) {
      return (float) (low + (high - low) * ((word + 0.5) * 0x1p-32));
    }
    long choices = (long) high - (long) low + 1;
    return (long) low + (word * choices >>> 32);
  }
}
