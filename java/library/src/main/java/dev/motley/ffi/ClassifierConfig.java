// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import dev.motley.Precision;
import dev.motley.Stem;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.OptionalDouble;

/**
 * The shape of a classifier.
 *
 * @param architecture its name, for example {@code resnet50}
 * @param classes number of classes
 * @param imageSize rows and columns of its input
 * @param precision of the computation
 * @param stem how a ResNet begins; other networks have but {@link Stem#IMAGENET}
 * @param dropout share of features dropped while training, in [0, 1); the architecture's own if empty
 * @param stochasticDepth chance that the last residual branch is left out for an image, in [0, 1); the architecture's own if empty
 * @param seed of the initialisation, where no weights are given, and of what is random in {@link
 *     dev.motley.BatchNormMode#TRAIN}
 */
public record ClassifierConfig(
    String architecture,
    int classes,
    int imageSize,
    Precision precision,
    Stem stem,
    OptionalDouble dropout,
    OptionalDouble stochasticDepth,
    long seed) {
  private static final double OWN = -1;

  /** The architecture as published. */
  public ClassifierConfig(String architecture, int classes, int imageSize, Precision precision, long seed) {
    this(architecture, classes, imageSize, precision, Stem.IMAGENET, OptionalDouble.empty(), OptionalDouble.empty(), seed);
  }

  MemorySegment toC(Arena arena) {
    return Struct.allocate(arena, Header.CLASSIFIER_CONFIG)
        .put("architecture", arena.allocateFrom(architecture))
        .put("classes", classes)
        .put("image_size", imageSize)
        .put("precision", precision.ordinal())
        .put("stem", stem.ordinal())
        .put("dropout", dropout.orElse(OWN))
        .put("stochastic_depth", stochasticDepth.orElse(OWN))
        .put("seed", seed)
        .segment();
  }
}
