// SPDX-License-Identifier: Apache-2.0
package dev.motley.run;

import dev.motley.train.Recipe;
import dev.motley.tricks.GenerationPlan;

/**
 * One training of a run.
 *
 * @param number of it, from 1
 * @param set what it learns from
 * @param recipe with its architecture and seed
 */
record PlannedTraining(int number, RunConfig.SetConfig set, Recipe recipe) {

  /** What it sees over all epochs. */
  long images() {
    return (long) GenerationPlan.of(set.plan()).size() * recipe.epochs();
  }

  /**
   * What it is called while it goes on: where a set has several, with its number and what tells it from the others.
   *
   * @param left of the time, in words; may be empty
   */
  String subject(RunConfig config, String left) {
    if (config.trainings() == config.sets().size()) {
      return set.name();
    }
    return "%s, %s, seed %d (training %d of %d%s)"
        .formatted(
            set.name(), recipe.architecture(), recipe.seed(), number, config.trainings(), left.isEmpty() ? "" : ", " + left);
  }
}
