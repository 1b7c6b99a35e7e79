// SPDX-License-Identifier: Apache-2.0
package dev.motley.results;

import dev.motley.CancelledException;
import dev.motley.Precision;
import dev.motley.ProgressListener;
import dev.motley.dataset.ImageSet;
import dev.motley.evaluate.Evaluation;
import dev.motley.evaluate.Evaluator;
import dev.motley.files.FileFailure;
import dev.motley.files.Sha256;
import dev.motley.train.Classifier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Tests finished trainings on the same real images, each once, and leaves the result beside its model. */
public final class Testing {
  private static final String MODEL = "model.safetensors";

  private final ImageSet real;
  private final String hash;
  private final int batch;

  /**
   * @param real labelled and named as the classifiers' classes are
   * @param batch images per forward pass; with batch statistics a part of the result
   */
  public Testing(ImageSet real, int batch) {
    this.real = real;
    this.batch = batch;
    hash = real.sha256();
  }

  /**
   * Tests the model in a folder, unless this very model was tested on these images before.
   *
   * @param record of the training, as {@link TrainingRecord#note} gave it
   * @return the record with the test noted, and the result
   * @throws CancelledException if the listener stopped it; nothing is written then
   */
  public Trained test(Path folder, TrainingRecord record, ProgressListener listener) {
    Path model = folder.resolve(MODEL);
    Path file = folder.resolve(TrainingRecord.EVALUATION);
    var note = new TestNote(real.name(), real.count(), hash, batch, sha256(model), 0);
    if (record.test().filter(note::isOf).isPresent() && Files.exists(file)) {
      return new Trained(folder, record, Evaluation.read(file));
    }
    long start = System.nanoTime();
    Evaluation evaluation;
    try (Classifier classifier = Classifier.load(model, Precision.FP32)) {
      evaluation = Evaluator.evaluate(classifier, real, batch, listener);
    } catch (CancelledException e) {
      throw new CancelledException("stopped while testing; run the same command again to go on", e);
    }
    return keep(folder, record, note.taking((System.nanoTime() - start) / 1e9), evaluation);
  }

  /**
   * Leaves a result that was found elsewhere in the folder of its training.
   *
   * @param seconds it took
   */
  public Trained keep(Path folder, TrainingRecord record, Evaluation evaluation, double seconds) {
    return keep(
        folder,
        record,
        new TestNote(real.name(), real.count(), hash, batch, sha256(folder.resolve(MODEL)), seconds),
        evaluation);
  }

  /** The note last: a kill between the two costs a test. */
  private static Trained keep(Path folder, TrainingRecord record, TestNote note, Evaluation evaluation) {
    evaluation.write(folder.resolve(TrainingRecord.EVALUATION));
    TrainingRecord tested = record.tested(note);
    tested.write(folder);
    return new Trained(folder, tested, evaluation);
  }

  private static String sha256(Path file) {
    try {
      return Sha256.of(file);
    } catch (IOException e) {
      throw FileFailure.reading(file, e);
    }
  }
}
