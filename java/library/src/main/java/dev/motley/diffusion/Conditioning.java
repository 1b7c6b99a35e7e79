// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import dev.motley.InvalidInputException;
import java.util.Arrays;
import java.util.List;

/** What a picture shall show, or shall be led away from: a text, or vectors that the UNet attends to in its place. */
public sealed interface Conditioning {

  /** The text that guidance leads away from where none is given. */
  Conditioning NOTHING = new Text("");

  /**
   * A text for the model's own text encoder.
   *
   * @param text what the picture shows; longer than the model's 77 tokens is cut, with a warning
   */
  record Text(String text) implements Conditioning {
    @Override
    public String toString() {
      return '"' + text + '"';
    }
  }

  /**
   * Vectors of the width that the UNet attends to, such as a prompt's encoding or a CLIP image embedding. Equal where the values are.
   *
   * @param tokens number of vectors
   * @param values (tokens, width)
   */
  record Embedding(int tokens, float[] values) implements Conditioning {

    /**
     * Copies the values.
     *
     * @throws InvalidInputException if they are no whole number of tokens, or not finite
     */
    public Embedding {
      if (tokens < 1 || values.length == 0 || values.length % tokens != 0) {
        throw new InvalidInputException("%d values are not %d tokens of one width".formatted(values.length, tokens));
      }
      for (float value : values) {
        if (!Float.isFinite(value)) {
          throw new InvalidInputException("an embedding holds " + value);
        }
      }
      values = values.clone();
    }

    /** Zeros, which models conditioned on images take for "nothing". */
    public static Embedding zeros(int tokens, int width) {
      return new Embedding(tokens, new float[Math.multiplyExact(tokens, width)]);
    }

    /**
     * A convex mixture: the point between embeddings that the weights say.
     *
     * @param parts at least one, of the same shape
     * @param weights of the parts, none negative, of sum 1 (within 1e-6)
     * @throws InvalidInputException if they do not fit
     */
    public static Embedding mixture(List<Embedding> parts, double... weights) {
      if (parts.isEmpty() || parts.size() != weights.length) {
        throw new InvalidInputException("a mixture of %d embeddings with %d weights".formatted(parts.size(), weights.length));
      }
      if (Arrays.stream(weights).anyMatch(weight -> !(weight >= 0)) || Math.abs(Arrays.stream(weights).sum() - 1) > 1e-6) {
        throw new InvalidInputException("weights of a mixture must be at least 0 and add up to 1, got " + Arrays.toString(weights));
      }
      Embedding first = parts.getFirst();
      double[] sum = new double[first.values.length];
      for (int p = 0; p < weights.length; p++) {
        Embedding part = parts.get(p);
        if (part.tokens != first.tokens || part.values.length != sum.length) {
          throw new InvalidInputException(
              "a mixture of embeddings of %d tokens with %d values and of %d with %d"
                  .formatted(first.tokens, sum.length, part.tokens, part.values.length));
        }
        for (int i = 0; i < sum.length; i++) {
          sum[i] += weights[p] * part.values[i];
        }
      }
      float[] values = new float[sum.length];
      for (int i = 0; i < sum.length; i++) {
        values[i] = (float) sum[i];
      }
      return new Embedding(first.tokens, values);
    }

    /** Values of a token. */
    public int width() {
      return values.length / tokens;
    }

    /** A copy. */
    @Override
    public float[] values() {
      return values.clone();
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Embedding that && tokens == that.tokens && Arrays.equals(values, that.values);
    }

    @Override
    public int hashCode() {
      return 31 * tokens + Arrays.hashCode(values);
    }

    @Override
    public String toString() {
      return "an embedding of %d tokens".formatted(tokens);
    }
  }
}
