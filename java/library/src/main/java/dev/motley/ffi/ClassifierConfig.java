// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import dev.motley.Precision;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The shape of a classifier.
 *
 * @param architecture its name, for example {@code resnet50}
 * @param classes number of classes
 * @param imageSize rows and columns of its input
 * @param precision of the computation
 * @param seed of the initialisation, where no weights are given
 */
public record ClassifierConfig(
    String architecture, int classes, int imageSize, Precision precision, long seed) {

  MemorySegment toC(Arena arena) {
    return Struct.allocate(arena, Header.CLASSIFIER_CONFIG)
        .put("architecture", arena.allocateFrom(architecture))
        .put("classes", classes)
        .put("image_size", imageSize)
        .put("precision", precision.ordinal())
        .put("seed", seed)
        .segment();
  }
}
