// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;
import dev.motley.diffusion.DiffusionPipeline;
import dev.motley.diffusion.Pictures;
import dev.motley.diffusion.Quality;
import dev.motley.diffusion.SafetyChecker;
import dev.motley.diffusion.SafetyVerdict;
import dev.motley.image.RgbImage;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** Says what becomes of each drawn picture: the one road for what the automatic look finds and for what the safety checker flags. */
final class PictureGate {
  private final SafetyPolicy policy;
  private final Optional<SafetyChecker> checker;

  /** What becomes of a picture. */
  sealed interface Fate {

    /** It is stored, marked where it is flagged. */
    record Kept(Optional<Flaw> flagged) implements Fate {}

    /** It is thrown away, and its image drawn with the next seed. */
    record Redrawn(Flaw flaw) implements Fate {}

    /** It is thrown away, and its image left out. */
    record LeftOut(Flaw flaw) implements Fate {}
  }

  /**
   * Makes the gate of a policy.
   *
   * @throws InvalidInputException if the policy needs a safety checker that the pipeline was loaded without
   */
  PictureGate(SafetyPolicy policy, DiffusionPipeline pipeline) {
    this.policy = policy;
    checker = policy == SafetyPolicy.OFF ? Optional.empty() : pipeline.safetyChecker();
    if (policy != SafetyPolicy.OFF && checker.isEmpty()) {
      throw new InvalidInputException(
          "the safety policy '%s' needs a pipeline that was loaded with its safety checker".formatted(policy.id()));
    }
  }

  /** Identifies the checker that looks, if any does. */
  Optional<String> checkerHash() {
    return checker.map(SafetyChecker::hash);
  }

  /**
   * Looks at pictures. The checker sees only those of good quality, at the size they were drawn.
   *
   * @return one fate for each
   */
  List<Fate> judge(Pictures pictures) {
    Iterator<SafetyVerdict> verdicts = verdicts(pictures).iterator();
    var fates = new ArrayList<Fate>();
    for (Quality quality : pictures.quality()) {
      if (quality != Quality.GOOD) {
        fates.add(new Fate.Redrawn(Flaw.of(quality)));
      } else {
        fates.add(verdicts.hasNext() ? judge(verdicts.next()) : new Fate.Kept(Optional.empty()));
      }
    }
    return fates;
  }

  private List<SafetyVerdict> verdicts(Pictures pictures) {
    List<RgbImage> good =
        IntStream.range(0, checker.isPresent() ? pictures.count() : 0)
            .filter(i -> pictures.quality().get(i) == Quality.GOOD)
            .mapToObj(i -> new RgbImage(pictures.height(), pictures.width(), pictures.picture(i)))
            .toList();
    return good.isEmpty() ? List.of() : checker.orElseThrow().check(good);
  }

  private Fate judge(SafetyVerdict verdict) {
    if (!verdict.flagged()) {
      return new Fate.Kept(Optional.empty());
    }
    Flaw flaw = Flaw.of(verdict);
    return switch (policy) {
      case OFF, FLAG -> new Fate.Kept(Optional.of(flaw));
      case DROP -> new Fate.LeftOut(flaw);
      case REDO -> new Fate.Redrawn(flaw);
    };
  }
}
