// SPDX-License-Identifier: Apache-2.0
package dev.motley.testing;

import dev.motley.weights.TensorView;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The rule that makes the goldens' weights and inputs from their names, so that none is stored:
 * SplitMix64 over the FNV-1a hash of the name, 24 bits an element, scaled by the tensor's kind.
 */
public final class Fill {

  private static final long GAMMA = 0x9E3779B97F4A7C15L;

  private Fill() {}

  /**
   * A weight.
   *
   * @param prefix of the model, such as {@code unet.}
   * @param name in the model's state
   * @param shape slowest dimension first
   * @return the tensor, under {@code name}
   */
  public static TensorView weight(String prefix, String name, long... shape) {
    float[] values = new float[count(shape)];
    long seed = hash(prefix + name);
    double scale = shape.length >= 2 ? Math.sqrt(3.0 / (count(shape) / shape[0])) : 0.05;
    for (int i = 0; i < values.length; i++) {
      double u = uniform(seed, i);
      double v = 2 * u - 1;
      if (name.endsWith("running_var")) {
        values[i] = (float) (1 + 0.5 * u);
      } else if (shape.length == 1 && name.endsWith("weight")) {
        values[i] = (float) (1 + 0.1 * v);
      } else {
        values[i] = (float) (v * scale);
      }
    }
    return TensorView.ofFloats(name, shape, values);
  }

  /**
   * A network's input, uniform in [-scale, scale).
   *
   * @param name of the input
   * @param scale half the width of its range
   * @param shape slowest dimension first
   * @return its values
   */
  public static float[] input(String name, double scale, long... shape) {
    float[] values = new float[count(shape)];
    long seed = hash(name);
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) ((2 * uniform(seed, i) - 1) * scale);
    }
    return values;
  }

  private static int count(long... shape) {
    return Math.toIntExact(Arrays.stream(shape).reduce(1, Math::multiplyExact));
  }

  private static long hash(String name) {
    long hash = 0xCBF29CE484222325L;
    for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
      hash = (hash ^ (b & 0xFF)) * 0x100000001B3L;
    }
    return hash;
  }

  private static double uniform(long seed, int index) {
    long z = seed + (index + 1L) * GAMMA;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    z ^= z >>> 31;
    return (z >>> 40) * 0x1p-24;
  }
}
