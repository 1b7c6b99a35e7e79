// SPDX-License-Identifier: Apache-2.0
package dev.motley.image;

import java.util.Arrays;

/**
 * Which old samples make each new sample along one axis, and with which weights. Sample x is the
 * sum over k in [begin(x), begin(x + 1)) of weight[k] * old[first(x) + k - begin(x)].
 */
final class ResizeWeights {
  /** Bits behind the point of Pillow's fixed-point weights: 32 - 8 - 2. */
  static final int PRECISION = 22;

  /** One half in that format, which turns the final shift into rounding. */
  static final int HALF = 1 << (PRECISION - 1);

  private static final float TORCH_A = -0.75f;

  private final int[] first;
  private final int[] begin;
  private final boolean[] used;
  private final float[] floats;
  private final int[] fixed;

  private ResizeWeights(int size, int[] first, int[] begin, float[] floats, int[] fixed) {
    this.first = first;
    this.begin = begin;
    this.floats = floats;
    this.fixed = fixed;
    used = new boolean[size];
    for (int x = 0; x < first.length; x++) {
      Arrays.fill(used, first[x], first[x] + begin[x + 1] - begin[x], true);
    }
  }

  static ResizeWeights of(int size, int newSize, Resize.Filter filter) {
    return switch (filter) {
      case BILINEAR -> twoNeighbours(size, newSize);
      case BILINEAR_AA -> torch(size, newSize, false);
      case BICUBIC -> fourNeighbours(size, newSize);
      case BICUBIC_AA -> torch(size, newSize, true);
      case PIL_BILINEAR -> pillow(size, newSize, false);
      case PIL_BICUBIC -> pillow(size, newSize, true);
    };
  }

  int first(int x) {
    return first[x];
  }

  int begin(int x) {
    return begin[x];
  }

  /** Whether any new sample uses this old one. */
  boolean uses(int old) {
    return used[old];
  }

  /** Weights of the torch filters. */
  float[] floats() {
    return floats;
  }

  /** Weights of the Pillow filters, times 2^22. */
  int[] fixed() {
    return fixed;
  }

  /** torch's upsample_bilinear2d, in float32 throughout as there. */
  private static ResizeWeights twoNeighbours(int size, int newSize) {
    float scale = (float) size / newSize;
    int[] first = new int[newSize];
    int[] begin = new int[newSize + 1];
    float[] weights = new float[2 * newSize];
    for (int x = 0; x < newSize; x++) {
      float center = Math.max(scale * (x + 0.5f) - 0.5f, 0f);
      int low = Math.min((int) center, size - 1);
      float high = Math.clamp(center - low, 0f, 1f);
      // At the last sample both neighbours are the same one; their weights add up to 1.
      boolean inside = low < size - 1;
      first[x] = low;
      begin[x + 1] = begin[x] + (inside ? 2 : 1);
      weights[begin[x]] = inside ? 1f - high : 1f;
      if (inside) {
        weights[begin[x] + 1] = high;
      }
    }
    return new ResizeWeights(size, first, begin, weights, new int[0]);
  }

  /** torch's upsample_bicubic2d, in float32 throughout; what lies outside repeats the edge. */
  private static ResizeWeights fourNeighbours(int size, int newSize) {
    float scale = (float) size / newSize;
    int[] first = new int[newSize];
    int[] begin = new int[newSize + 1];
    float[] weights = new float[4 * newSize];
    for (int x = 0; x < newSize; x++) {
      float center = scale * (x + 0.5f) - 0.5f;
      int low = (int) Math.floor(center);
      float t = center - low;
      float[] taps = {outer(t + 1), inner(t), inner(1 - t), outer(2 - t)};
      first[x] = Math.clamp(low - 1, 0, size - 1);
      begin[x + 1] = begin[x] + Math.clamp(low + 2, 0, size - 1) - first[x] + 1;
      for (int k = 0; k < 4; k++) {
        weights[begin[x] + Math.clamp(low - 1 + k, 0, size - 1) - first[x]] += taps[k];
      }
    }
    return new ResizeWeights(size, first, begin, weights, new int[0]);
  }

  /** Keys' cubic with a = -0.75, which torch takes without anti-aliasing, for x up to 1. */
  private static float inner(float x) {
    return ((TORCH_A + 2) * x - (TORCH_A + 3)) * x * x + 1;
  }

  /** The same for x from 1 to 2. */
  private static float outer(float x) {
    return ((TORCH_A * x - 5 * TORCH_A) * x + 8 * TORCH_A) * x - 4 * TORCH_A;
  }

  /** torch's _upsample_bilinear2d_aa and _upsample_bicubic2d_aa: float32, with double constants. */
  private static ResizeWeights torch(int size, int newSize, boolean cubic) {
    float scale = (float) size / newSize;
    int taps = cubic ? 4 : 2;
    float support = scale >= 1 ? (float) (taps * 0.5 * scale) : taps * 0.5f;
    float inverse = scale >= 1 ? (float) (1.0 / scale) : 1f;
    int[] first = new int[newSize];
    int[] begin = new int[newSize + 1];
    float[] weights = new float[newSize * (int) (2 * Math.ceil(support) + 1)];
    for (int x = 0; x < newSize; x++) {
      float center = (float) (scale * (x + 0.5));
      int low = Math.max((int) (center - support + 0.5), 0);
      int count = Math.min((int) (center + support + 0.5), size) - low;
      first[x] = low;
      begin[x + 1] = begin[x] + count;
      float total = 0;
      for (int k = 0; k < count; k++) {
        float at = (float) ((k + low - center + 0.5) * inverse);
        float weight = cubic ? (float) cubic(at) : (float) triangle(at);
        weights[begin[x] + k] = weight;
        total += weight;
      }
      for (int k = begin[x]; k < begin[x + 1]; k++) {
        weights[k] /= total;
      }
    }
    return new ResizeWeights(size, first, begin, weights, new int[0]);
  }

  /** Pillow's precompute_coeffs and normalize_coeffs_8bpc. */
  private static ResizeWeights pillow(int size, int newSize, boolean cubic) {
    double scale = (double) size / newSize;
    double stretch = Math.max(scale, 1);
    double support = (cubic ? 2 : 1) * stretch;
    int[] first = new int[newSize];
    int[] begin = new int[newSize + 1];
    double[] weights = new double[newSize * (int) (2 * Math.ceil(support) + 1)];
    int[] fixed = new int[weights.length];
    for (int x = 0; x < newSize; x++) {
      double center = (x + 0.5) * scale;
      int low = Math.max((int) (center - support + 0.5), 0);
      int count = Math.min((int) (center + support + 0.5), size) - low;
      first[x] = low;
      begin[x + 1] = begin[x] + count;
      double total = 0;
      for (int k = 0; k < count; k++) {
        double at = (k + low - center + 0.5) * (1 / stretch);
        weights[begin[x] + k] = cubic ? cubic(at) : triangle(at);
        total += weights[begin[x] + k];
      }
      for (int k = begin[x]; k < begin[x + 1]; k++) {
        double scaled = weights[k] / total * (1 << PRECISION);
        fixed[k] = (int) (scaled < 0 ? scaled - 0.5 : scaled + 0.5);
      }
    }
    return new ResizeWeights(size, first, begin, new float[0], fixed);
  }

  private static double triangle(double x) {
    return Math.max(1 - Math.abs(x), 0);
  }

  /** Keys' cubic with a = -0.5, which both libraries take when they anti-alias. */
  private static double cubic(double signed) {
    double a = -0.5;
    double x = Math.abs(signed);
    if (x < 1) {
      return ((a + 2) * x - (a + 3)) * x * x + 1;
    }
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
  }
}
