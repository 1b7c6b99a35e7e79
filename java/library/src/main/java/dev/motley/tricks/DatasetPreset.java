// SPDX-License-Identifier: Apache-2.0
package dev.motley.tricks;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * A dataset that Motley knows: its classes, how the paper words its prompts, and the sizes.
 *
 * @param classes the classes, by which the preset is named
 * @param prompts the paper's prompts and domains
 * @param perClass images per class of one trick's whole set
 * @param drawnSize width and height the paper's images are drawn at, in pixels
 * @param storedSize width and height of the real images, in pixels
 * @param antialias whether the paper shrinks with anti-aliasing
 * @param combined the tricks in the paper's "all combined"
 * @param best the mix of the paper's "best tricks" (its Table 3)
 */
public record DatasetPreset(
    ClassList classes,
    PromptStyle prompts,
    int perClass,
    int drawnSize,
    int storedSize,
    boolean antialias,
    Set<Trick> combined,
    TrickMix best) {

  private static final int STABLE_DIFFUSION_SIZE = 512;

  /** Makes the set of tricks unmodifiable. */
  public DatasetPreset {
    combined = java.util.Collections.unmodifiableSet(EnumSet.copyOf(combined));
  }

  /**
   * Finds a preset.
   *
   * @param name one of {@link ClassList#presets}
   * @return the preset
   * @throws dev.motley.InvalidInputException if there is none of that name; the nearest are offered
   */
  public static DatasetPreset named(String name) {
    ClassList classes = ClassList.preset(name);
    Set<Trick> all = EnumSet.allOf(Trick.class);
    return switch (name) {
      case "cifar10" -> cifar(classes, 5000, TrickMix.union(all, 5000));
      case "cifar100" ->
          cifar(
              classes,
              500,
              TrickMix.union(EnumSet.complementOf(EnumSet.of(Trick.CLASS_PROMPT)), 500));
      case "eurosat" ->
          new DatasetPreset(
              classes,
              PromptStyle.satellite(),
              2700,
              STABLE_DIFFUSION_SIZE,
              64,
              false,
              EnumSet.complementOf(EnumSet.of(Trick.CLASS_PROMPT)),
              TrickMix.only(Trick.RANDOM_GUIDANCE, 2 * 2700));
      default -> // fashion-mnist: the real images are 28x28, padded to the 32x32 of the embedded
          // model
          new DatasetPreset(
              classes,
              PromptStyle.objects().with(Articles.BY_SOUND),
              6000,
              32,
              32,
              true,
              all,
              TrickMix.union(all, 6000));
    };
  }

  private static DatasetPreset cifar(ClassList classes, int perClass, TrickMix best) {
    return new DatasetPreset(
        classes,
        PromptStyle.objects(),
        perClass,
        STABLE_DIFFUSION_SIZE,
        32,
        true,
        EnumSet.allOf(Trick.class),
        best);
  }

  /**
   * Lists the names {@link #named} knows.
   *
   * @return the names
   */
  public static List<String> names() {
    return ClassList.presets();
  }
}
