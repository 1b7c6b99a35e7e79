// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A noise schedule, as in a checkpoint's {@code scheduler_config.json}, with "leading" spacing.
 *
 * @param trainTimesteps num_train_timesteps
 * @param stepsOffset steps_offset
 * @param setAlphaToOne set_alpha_to_one
 * @param betaSchedule beta_schedule
 * @param betaStart beta_start
 * @param betaEnd beta_end
 */
public record DdimConfig(
    int trainTimesteps,
    int stepsOffset,
    boolean setAlphaToOne,
    BetaSchedule betaSchedule,
    double betaStart,
    double betaEnd) {

  /** How beta grows over the training timesteps. */
  public enum BetaSchedule {
    /** Linear in the square root. */
    SCALED_LINEAR,
    /** Linear. */
    LINEAR
  }

  /**
   * Returns the most steps a run may take.
   *
   * @return trainTimesteps - stepsOffset
   */
  public int maxSteps() {
    return trainTimesteps - stepsOffset;
  }

  MemorySegment toC(Arena arena) {
    return Struct.allocate(arena, Header.DDIM_CONFIG)
        .put("train_timesteps", trainTimesteps)
        .put("steps_offset", stepsOffset)
        .put("set_alpha_to_one", setAlphaToOne)
        .put("beta_schedule", betaSchedule.ordinal())
        .put("beta_start", betaStart)
        .put("beta_end", betaEnd)
        .segment();
  }
}
