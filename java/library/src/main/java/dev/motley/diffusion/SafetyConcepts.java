// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import dev.motley.InvalidInputException;
import dev.motley.weights.TensorView;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Some concepts of the safety checker.
 *
 * @param directions one per concept, of length 1, in the space of the embeddings
 * @param thresholds cosine above which a concept fires
 */
record SafetyConcepts(double[][] directions, float[] thresholds) {
  /** By so much the checker is stricter once a special-care concept fired. */
  private static final double STRICTER = 0.01;

  /** What torch's normalize divides by at least. */
  private static final double LEAST_LENGTH = 1e-12;

  /**
   * Takes the concepts out of a checkpoint.
   *
   * @param name of the tensor (concepts, width); its thresholds (concepts) are {@code name_weights}
   */
  static SafetyConcepts of(String source, Map<String, TensorView> tensors, String name, int width) {
    TensorView embeddings = tensor(source, tensors, name);
    TensorView weights = tensor(source, tensors, name + "_weights");
    long count = weights.elements();
    if (!Arrays.equals(embeddings.shape(), new long[] {count, width}) || !Arrays.equals(weights.shape(), new long[] {count})) {
      throw new InvalidInputException(
          "%s: %s and %s have shapes %s and %s, expected [concepts, %d] and [concepts]"
              .formatted(
                  source, name, weights.name(), Arrays.toString(embeddings.shape()), Arrays.toString(weights.shape()), width));
    }
    if (!embeddings.isFinite() || !weights.isFinite()) {
      throw new InvalidInputException(source + ": " + name + " or " + weights.name() + " is not finite; damaged?");
    }
    float[] values = embeddings.toFloats();
    double[][] directions = new double[(int) count][];
    for (int i = 0; i < directions.length; i++) {
      directions[i] = direction(values, i * width, width);
    }
    return new SafetyConcepts(directions, weights.toFloats());
  }

  private static TensorView tensor(String source, Map<String, TensorView> tensors, String name) {
    TensorView found = tensors.get(name);
    if (found == null) {
      throw new InvalidInputException(source + ": " + name + " is missing; not a safety checker of Stable Diffusion?");
    }
    return found;
  }

  /** The vector at {@code from}, scaled to length 1. */
  static double[] direction(float[] values, int from, int width) {
    double[] vector = new double[width];
    double squares = 0;
    for (int i = 0; i < width; i++) {
      vector[i] = values[from + i];
      squares += vector[i] * vector[i];
    }
    double length = Math.max(Math.sqrt(squares), LEAST_LENGTH);
    for (int i = 0; i < width; i++) {
      vector[i] /= length;
    }
    return vector;
  }

  /**
   * Judges one picture as diffusers does: the special-care concepts one after the other, of which the first that fires makes all that
   * follows stricter, then the concepts.
   *
   * @param picture its embedding, scaled to length 1
   */
  static SafetyVerdict judge(double[] picture, SafetyConcepts specialCare, SafetyConcepts concepts) {
    List<Double> special = new ArrayList<>();
    double adjustment = 0;
    for (int i = 0; i < specialCare.thresholds.length; i++) {
      special.add(specialCare.score(i, picture, adjustment));
      if (special.get(i) > 0) {
        adjustment = STRICTER;
      }
    }
    List<Double> scores = new ArrayList<>();
    for (int i = 0; i < concepts.thresholds.length; i++) {
      scores.add(concepts.score(i, picture, adjustment));
    }
    return new SafetyVerdict(special, scores);
  }

  /** Rounded half to even, as Python and numpy do. */
  private double score(int concept, double[] picture, double adjustment) {
    double cosine = 0;
    for (int i = 0; i < picture.length; i++) {
      cosine += picture[i] * directions[concept][i];
    }
    return Math.rint((cosine - thresholds[concept] + adjustment) * 1000) / 1000 + 0.0; // no -0
  }
}
