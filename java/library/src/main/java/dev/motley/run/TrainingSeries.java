// SPDX-License-Identifier: Apache-2.0
package dev.motley.run;

import dev.motley.ProgressListener;
import dev.motley.dataset.ImageSet;
import dev.motley.results.Testing;
import dev.motley.results.Trained;
import dev.motley.results.TrainingData;
import dev.motley.results.TrainingRecord;
import dev.motley.train.Recipe;
import dev.motley.train.Training;
import dev.motley.train.TrainingResult;
import dev.motley.train.Transfer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The same training with several seeds, each in a folder {@code seed-N} of its own, which is what an interval needs. Started again
 * after any interruption it goes on where it was.
 *
 * @param images to learn from
 * @param data what they are, for the record beside each model
 * @param recipe but for its seed
 * @param from weights to begin with; empty: from scratch
 * @param checkpointEvery the longest work that a kill may cost
 * @param testing on real images, after each training; empty for none
 */
public record TrainingSeries(
    ImageSet images, TrainingData data, Recipe recipe, Optional<Transfer> from, Duration checkpointEvery, Optional<Testing> testing) {

  /**
   * One of them.
   *
   * @param seed of it
   * @param result of the training
   * @param tested its test; empty where there was none
   */
  public record Member(long seed, TrainingResult result, Optional<Trained> tested) {}

  /** The folder of a seed. */
  public static Path folder(Path of, long seed) {
    return of.resolve("seed-" + seed);
  }

  /**
   * Trains, and tests, with every seed.
   *
   * @param out holds the folders of the seeds
   * @param listener hears every step; may stop
   * @throws dev.motley.CancelledException if it did; what was done is kept
   */
  public List<Member> run(List<Long> seeds, Path out, ProgressListener listener) {
    var members = new ArrayList<Member>();
    for (long seed : seeds) {
      members.add(run(seed, folder(out, seed), progress -> listener.onProgress(progress.on("seed " + seed))));
    }
    return members;
  }

  /**
   * Trains, and tests, with one seed.
   *
   * @param folder of this training alone
   */
  public Member run(long seed, Path folder, ProgressListener listener) {
    Recipe seeded = recipe.withSeed(seed);
    TrainingResult result = Training.run(images, seeded, from, folder, checkpointEvery, listener);
    TrainingData learned = from.map(begun -> data.beganWith(begun.identity())).orElse(data);
    TrainingRecord record = TrainingRecord.note(folder, seeded, learned);
    return new Member(seed, result, testing.map(one -> one.test(folder, record, listener)));
  }
}
