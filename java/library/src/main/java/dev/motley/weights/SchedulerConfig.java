// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import java.nio.file.Path;
import java.util.List;

/**
 * The noise schedule a model was trained with, from {@code scheduler/scheduler_config.json} of a
 * diffusers folder. The file may name any scheduler of the family (Stable Diffusion v1 ships PNDM);
 * only what DDIM needs is read.
 *
 * @param betaSchedule {@code scaled_linear} or {@code linear}
 * @param stepsOffset added to every time step
 * @param setAlphaToOne whether the last step goes to alpha 1 instead of the first training step's
 * @param clipSample whether the predicted picture is clamped to [-1, 1]
 * @param timestepSpacing {@code leading}
 * @param predictionType {@code epsilon}
 */
public record SchedulerConfig(
    int numTrainTimesteps,
    double betaStart,
    double betaEnd,
    String betaSchedule,
    int stepsOffset,
    boolean setAlphaToOne,
    boolean clipSample,
    String timestepSpacing,
    String predictionType) {

  /**
   * Reads a configuration file.
   *
   * @throws dev.motley.InvalidInputException for a value that is missing or not supported; names
   *     file, key and value
   */
  public static SchedulerConfig read(Path file) {
    return of(ConfigFile.read(file));
  }

  static SchedulerConfig of(ConfigFile config) {
    config.requireAbsent("trained_betas");
    config.requireAbsent("rescale_betas_zero_snr");
    config.requireAbsent("thresholding");
    boolean ddim = config.node("_class_name").asText().equals("DDIMScheduler");
    // "timestep_spacing" is how that scheduler picks its own steps; it binds us only where the
    // scheduler is DDIM.
    String spacing =
        ddim ? config.oneOf("timestep_spacing", "leading", List.of("leading")) : "leading";
    SchedulerConfig result =
        new SchedulerConfig(
            config.size("num_train_timesteps", 1000),
            config.positive("beta_start", 0.0001),
            config.positive("beta_end", 0.02),
            config.oneOf("beta_schedule", "linear", List.of("scaled_linear", "linear")),
            config.index("steps_offset", 0),
            config.flag("set_alpha_to_one", true),
            config.flag(
                "clip_sample",
                ddim), // diffusers' DDIM clips unless told not to; the others never do
            spacing,
            config.oneOf("prediction_type", "epsilon", List.of("epsilon")));
    if (result.clipSample) {
      config.require("clip_sample_range", 1);
    }
    if (result.betaEnd >= 1 || result.betaStart > result.betaEnd) {
      throw config.unsupported(
          "beta_end",
          config.node("beta_end"),
          "a number below 1 and not below beta_start " + result.betaStart);
    }
    if (result.stepsOffset >= result.numTrainTimesteps) {
      throw config.unsupported(
          "steps_offset",
          config.node("steps_offset"),
          "less than num_train_timesteps " + result.numTrainTimesteps);
    }
    return result;
  }

  /** The most DDIM steps that the schedule has room for: 999 for Stable Diffusion's. */
  public int maxSteps() {
    return numTrainTimesteps - stepsOffset;
  }
}
