// SPDX-License-Identifier: Apache-2.0
package dev.motley.train;

import java.nio.file.Path;
import java.util.List;

/**
 * What a finished training leaves.
 *
 * @param model the exported classifier, {@code model.safetensors} with torchvision's names
 * @param epochs metrics of all epochs, those of earlier runs included
 * @param seconds of this run
 */
public record TrainingResult(Path model, List<EpochMetrics> epochs, double seconds) {
  public TrainingResult {
    epochs = List.copyOf(epochs);
  }
}
