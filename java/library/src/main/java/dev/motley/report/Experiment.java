// SPDX-License-Identifier: Apache-2.0
package dev.motley.report;

import dev.motley.evaluate.Evaluation;
import java.util.List;

/**
 * One synthetic set, the classifier trained on it and how that did.
 *
 * @param name a few words, such as "All tricks combined"
 * @param description a sentence on how the images were made
 * @param images how many it was trained on
 * @param evaluation on the real test images
 * @param epochs the course of training, in order; may be empty
 * @param mistakes the most confident ones with running statistics, worst first; may be empty
 */
public record Experiment(
    String name,
    String description,
    int images,
    Evaluation evaluation,
    List<EpochPoint> epochs,
    List<MistakePicture> mistakes) {

  /** Copies the lists. */
  public Experiment {
    epochs = List.copyOf(epochs);
    mistakes = List.copyOf(mistakes);
  }
}
