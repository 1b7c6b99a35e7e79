// SPDX-License-Identifier: Apache-2.0
package dev.motley.evaluate;

import dev.motley.InvalidInputException;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What a classifier says of one image.
 *
 * @param label the first of the classes with the highest logit
 * @param confidence its softmax probability, in (0, 1]
 */
public record Prediction(int label, double confidence) {

  /**
   * Reads logits.
   *
   * @param classes the number of classes, at least 1
   * @param logits (images, classes), row-major
   * @return (images)
   * @throws InvalidInputException if the sizes do not fit or a logit is not finite
   */
  public static List<Prediction> all(int classes, float[] logits) {
    if (classes < 1 || logits.length % classes != 0) {
      throw new InvalidInputException(
          "%d logits: expected a multiple of the %d classes".formatted(logits.length, classes));
    }
    return IntStream.range(0, logits.length / classes).mapToObj(i -> of(classes, logits, i)).toList();
  }

  /** Of one image; the sizes have been checked. */
  static Prediction of(int classes, float[] logits, int image) {
    int row = image * classes;
    int best = 0;
    for (int i = 0; i < classes; i++) {
      if (!Float.isFinite(logits[row + i])) {
        throw new InvalidInputException(
            "logit %d of image %d is %s: the classifier's weights have diverged"
                .formatted(i, image, logits[row + i]));
      }
      best = logits[row + i] > logits[row + best] ? i : best;
    }
    // Relative to the highest logit, so that nothing overflows; the highest class counts 1.
    double highest = logits[row + best];
    double sum = 0;
    for (int i = 0; i < classes; i++) {
      sum += Math.exp(logits[row + i] - highest);
    }
    return new Prediction(best, 1 / sum);
  }
}
