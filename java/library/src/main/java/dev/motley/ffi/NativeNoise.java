// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** Normally distributed noise, the same on every machine. */
public final class NativeNoise {

  private static final MethodHandle PHILOX = Native.bind("motley_noise_philox");
  private static final MethodHandle TORCH = Native.bind("motley_noise_torch");

  private NativeNoise() {}

  /**
   * Draws from the counter-based Philox4x32-10: element i depends on (seed, key, draw, i) only.
   *
   * @param seed the dataset's seed
   * @param key the image's stream
   * @param draw 0 for initial noise, 1 + s for the noise of step s
   * @param n elements, at least 1
   * @return n standard normals
   */
  public static float[] philox(long seed, long key, long draw, int n) {
    Sizes.length("noise", n);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_FLOAT, n);
      Native.check(error -> (int) PHILOX.invokeExact(seed, key, draw, (long) n, out, error));
      return out.toArray(ValueLayout.JAVA_FLOAT);
    }
  }

  /**
   * Draws what successive calls of {@code torch.randn(n, generator=g)} give, with
   * {@code g = torch.Generator("cpu").manual_seed(seed)}.
   *
   * @param seed the generator's seed
   * @param draws calls, at least 1
   * @param n elements of each, at least 1
   * @return (draws, n) standard normals
   */
  public static float[] torch(long seed, int draws, int n) {
    int values = Sizes.length("noise", draws, n);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_FLOAT, values);
      Native.check(error -> (int) TORCH.invokeExact(seed, (long) draws, (long) n, out, error));
      return out.toArray(ValueLayout.JAVA_FLOAT);
    }
  }
}
