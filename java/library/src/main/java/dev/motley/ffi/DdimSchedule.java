// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * The timesteps of a DDIM run. Each array has one entry per step.
 *
 * @param timesteps descending
 * @param alpha cumulative product of 1 - beta at each timestep
 * @param alphaPrev the same at the timestep before it, in sampling order the one after
 */
public record DdimSchedule(int[] timesteps, double[] alpha, double[] alphaPrev) {

  private static final MethodHandle SCHEDULE = Native.bind("motley_ddim_schedule");

  /**
   * Computes the timesteps of a run, as diffusers' DDIMScheduler does.
   *
   * @param config the noise schedule
   * @param steps 1 to {@link DdimConfig#maxSteps}
   * @return the schedule
   */
  public static DdimSchedule of(DdimConfig config, int steps) {
    Sizes.range("steps", steps, 1, config.maxSteps());
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment c = config.toC(arena);
      MemorySegment timesteps = arena.allocate(ValueLayout.JAVA_INT, steps);
      MemorySegment alpha = arena.allocate(ValueLayout.JAVA_DOUBLE, steps);
      MemorySegment alphaPrev = arena.allocate(ValueLayout.JAVA_DOUBLE, steps);
      Native.check(
          error -> (int) SCHEDULE.invokeExact(c, steps, timesteps, alpha, alphaPrev, error));
      return new DdimSchedule(
          timesteps.toArray(ValueLayout.JAVA_INT),
          alpha.toArray(ValueLayout.JAVA_DOUBLE),
          alphaPrev.toArray(ValueLayout.JAVA_DOUBLE));
    }
  }
}
