// SPDX-License-Identifier: Apache-2.0
package dev.motley.run;

import dev.motley.evaluate.Evaluation;
import dev.motley.results.Trained;
import java.nio.file.Path;
import java.util.List;

/**
 * What a run ends with.
 *
 * @param trainings all of them, by set, architecture and seed in the config's order
 * @param report the page
 */
public record RunResult(List<Trained> trainings, Path report) {
  /** Copies the list. */
  public RunResult {
    trainings = List.copyOf(trainings);
  }

  /** Those of one set and architecture, one for each seed. */
  public List<Trained> of(RunConfig.SetConfig set, String architecture) {
    return trainings.stream()
        .filter(one -> one.record().data().set().equals(set.name()))
        .filter(one -> one.record().recipe().architecture().equals(architecture))
        .toList();
  }

  /** How the classifiers did, in the same order. */
  public List<Evaluation> evaluations() {
    return trainings.stream().map(Trained::evaluation).toList();
  }
}
