// SPDX-License-Identifier: Apache-2.0
package dev.motley.run;

import dev.motley.evaluate.Evaluation;
import java.nio.file.Path;
import java.util.List;

/**
 * What a run ends with.
 *
 * @param evaluations one for each set, in the config's order
 * @param report the page
 */
public record RunResult(List<Evaluation> evaluations, Path report) {
  public RunResult {
    evaluations = List.copyOf(evaluations);
  }
}
