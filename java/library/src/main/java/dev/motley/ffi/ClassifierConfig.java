// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import dev.motley.DropRates;
import dev.motley.Precision;
import dev.motley.Stem;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The shape of a classifier.
 *
 * @param architecture its name, for example {@code resnet50}
 * @param classes number of classes
 * @param imageSize rows and columns of its input
 * @param precision of the computation
 * @param stem how a ResNet begins; other networks have but {@link Stem#IMAGENET}
 * @param rates what it leaves out while training, where the architecture has such
 * @param seed of the initialisation, where no weights are given, and of what is random in {@link
 *     dev.motley.BatchNormMode#TRAIN}
 */
public record ClassifierConfig(
    String architecture,
    int classes,
    int imageSize,
    Precision precision,
    Stem stem,
    DropRates rates,
    long seed) {
  /** The architecture as published. */
  public ClassifierConfig(String architecture, int classes, int imageSize, Precision precision, long seed) {
    this(architecture, classes, imageSize, precision, Stem.IMAGENET, DropRates.AS_PUBLISHED, seed);
  }

  MemorySegment toC(Arena arena) {
    return Struct.allocate(arena, Header.CLASSIFIER_CONFIG)
        .put("architecture", arena.allocateFrom(architecture))
        .put("classes", classes)
        .put("image_size", imageSize)
        .put("precision", precision.ordinal())
        .put("stem", stem.ordinal())
        .put("dropout", rates.dropout())
        .put("stochastic_depth", rates.stochasticDepth())
        .put("seed", seed)
        .segment();
  }
}
