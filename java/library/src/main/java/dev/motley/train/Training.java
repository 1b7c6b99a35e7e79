// SPDX-License-Identifier: Apache-2.0
package dev.motley.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.motley.CancelledException;
import dev.motley.InvalidInputException;
import dev.motley.Progress;
import dev.motley.ProgressListener;
import dev.motley.ResourceException;
import dev.motley.dataset.ImageSet;
import dev.motley.ffi.NativeImages;
import dev.motley.ffi.NativeTrainer;
import dev.motley.ffi.TrainerConfig;
import dev.motley.weights.SafeTensors;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;

/**
 * One training from scratch in a folder of its own: {@code metrics.jsonl}, {@code checkpoint.safetensors} while it runs, {@code
 * model.safetensors} when it is done. Started again after any interruption it goes on from the last checkpoint and ends with the
 * weights of an uninterrupted run.
 */
public final class Training implements AutoCloseable {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final String CHECKPOINT = "checkpoint.safetensors";
  private static final String MODEL = "model.safetensors";
  private static final String METRICS = "metrics.jsonl";

  /** In the metadata of a finished model: which training it came from. */
  private static final String IDENTITY = "motley.training";

  private final ImageSet images;
  private final Recipe recipe;
  private final Path folder;
  private final Duration checkpointEvery;
  private final Classifier classifier;
  private final NativeTrainer trainer;
  private final NativeImages packed;
  private final MetricsLog metrics;
  private Checkpoint.Position position;

  private Training(
      ImageSet images, Recipe recipe, String identity, Path folder, Duration checkpointEvery) {
    this.images = images;
    this.recipe = recipe;
    this.folder = folder;
    this.checkpointEvery = checkpointEvery;
    Path file = folder.resolve(CHECKPOINT);
    if (Files.exists(file)) {
      try (SafeTensors checkpoint = SafeTensors.open(file)) {
        position = Checkpoint.position(file, checkpoint);
        requireSame(folder, position.identity(), identity);
        classifier = Classifier.of(Checkpoint.network(checkpoint), spec(), recipe.precision());
        trainer = NativeTrainer.create(classifier.network(), config());
        Checkpoint.restore(checkpoint, classifier, trainer, position);
      }
    } else {
      position = Checkpoint.Position.start(identity);
      classifier = Classifier.create(recipe, images.classNames());
      trainer = NativeTrainer.create(classifier.network(), config());
    }
    packed = Classifier.pack(images);
    metrics = new MetricsLog(folder.resolve(METRICS), position.epoch());
  }

  /**
   * Trains, or goes on with a training that was interrupted, or finds that it is done.
   *
   * @param images to learn from, of the recipe's size
   * @param recipe how
   * @param folder of this training alone; made if absent
   * @param checkpointEvery the longest time of work that a {@code kill -9} may cost; a stop by the listener costs none
   * @param listener hears every step; may stop
   * @throws CancelledException if the listener stopped it; the state is kept
   * @throws InvalidInputException if the folder belongs to another training, the images do not fit, or the loss is not finite
   */
  public static TrainingResult run(
      ImageSet images, Recipe recipe, Path folder, Duration checkpointEvery, ProgressListener listener) {
    if (images.height() != recipe.imageSize() || images.width() != recipe.imageSize()) {
      throw new InvalidInputException(
          "%s has images of %dx%d pixels, the recipe says %dx%d"
              .formatted(images.name(), images.width(), images.height(), recipe.imageSize(), recipe.imageSize()));
    }
    createFolder(folder);
    String identity = identity(images, recipe);
    if (isDone(folder, identity)) {
      return new TrainingResult(
          folder.resolve(MODEL), new MetricsLog(folder.resolve(METRICS), recipe.epochs()).epochs(), 0);
    }
    try (var training = new Training(images, recipe, identity, folder, checkpointEvery)) {
      return training.run(listener);
    }
  }

  private TrainingResult run(ProgressListener listener) {
    long start = System.nanoTime();
    TrainerConfig config = config();
    long perEpoch = config.stepsPerEpoch(images.count());
    long resumed = position.steps();
    while (position.epoch() < recipe.epochs()) {
      runUntilCheckpoint(perEpoch, resumed, listener);
      if (position.step() == perEpoch) {
        finishEpoch();
      }
      if (position.epoch() < recipe.epochs() && checkpointDue()) {
        saveCheckpoint();
      }
    }
    classifier.save(folder.resolve(MODEL), Map.of(IDENTITY, position.identity()));
    removeCheckpoint();
    return new TrainingResult(folder.resolve(MODEL), metrics.epochs(), secondsSince(start));
  }

  private long lastCheckpoint = System.nanoTime();

  private boolean checkpointDue() {
    return System.nanoTime() - lastCheckpoint >= checkpointEvery.toNanos();
  }

  private void saveCheckpoint() {
    Checkpoint.write(folder.resolve(CHECKPOINT), classifier, trainer, position);
    lastCheckpoint = System.nanoTime();
  }

  /** Runs to the epoch's end, to the time of the next checkpoint, or until the listener stops. */
  private void runUntilCheckpoint(long perEpoch, long resumed, ProgressListener listener) {
    long start = System.nanoTime();
    Checkpoint.Position before = position;
    boolean[] stopped = {false};
    NativeTrainer.Outcome outcome =
        trainer.run(
            packed,
            before.epoch(),
            before.step(),
            perEpoch - before.step(),
            recipe.learningRateAt(before.epoch()),
            (done, _, loss, accuracy) -> {
              var progress =
                  new Progress(
                      "train", before.steps() + done, perEpoch * recipe.epochs(), resumed, "steps",
                      String.format(
                          Locale.ROOT, "epoch %d/%d, loss %.3f", before.epoch() + 1, recipe.epochs(), loss));
              stopped[0] = !listener.onProgress(progress);
              return !stopped[0] && !checkpointDue();
            });
    long seen =
        Math.min((before.step() + outcome.done()) * recipe.batch(), images.count())
            - Math.min(before.step() * recipe.batch(), images.count());
    position = before.after(outcome, seen, secondsSince(start));
    if (stopped[0]) {
      if (position.step() == perEpoch) {
        finishEpoch();
      }
      saveCheckpoint();
      throw new CancelledException(
          "training stopped in epoch " + (position.epoch() + 1) + "; the state is kept in " + folder);
    }
  }

  private void finishEpoch() {
    metrics.add(
        new EpochMetrics(
            position.epoch(),
            recipe.learningRateAt(position.epoch()),
            position.lossSum() / position.images(),
            (double) position.correct() / position.images(),
            position.seconds(),
            position.images() / position.seconds()));
    position = position.nextEpoch();
  }

  private TrainerConfig config() {
    Augmentation a = recipe.augmentation();
    return new TrainerConfig(
        Math.min(recipe.batch(), images.count()),
        false,
        Recipe.BETA1,
        Recipe.BETA2,
        Recipe.EPSILON,
        recipe.weightDecay(),
        recipe.labelSmoothing(),
        a.scaleMin(),
        a.scaleMax(),
        a.ratioMin(),
        a.ratioMax(),
        a.flip(),
        recipe.normalisation(),
        recipe.seed());
  }

  private ClassifierSpec spec() {
    return new ClassifierSpec(
        recipe.architecture(), recipe.imageSize(), images.classNames(), recipe.normalisation());
  }

  /** Whether the folder holds the finished model of this very training. */
  private static boolean isDone(Path folder, String identity) {
    Path model = folder.resolve(MODEL);
    if (!Files.exists(model)) {
      return false;
    }
    try (SafeTensors tensors = SafeTensors.open(model)) {
      requireSame(folder, tensors.metadata().getOrDefault(IDENTITY, "unknown"), identity);
      return true;
    }
  }

  private static void requireSame(Path folder, String theirs, String ours) {
    if (!ours.equals(theirs)) {
      throw new InvalidInputException(
          "%s holds a training of another recipe or data set (%.12s, this one is %.12s): give another folder or remove it"
              .formatted(folder, theirs, ours));
    }
  }

  private static void createFolder(Path folder) {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new ResourceException("cannot make the folder " + folder + ": " + e.getMessage(), e);
    }
  }

  /** A finished model needs none, and it is three times as large. */
  private void removeCheckpoint() {
    try {
      Files.deleteIfExists(folder.resolve(CHECKPOINT));
    } catch (IOException e) {
      throw new ResourceException("cannot remove " + folder.resolve(CHECKPOINT) + ": " + e.getMessage(), e);
    }
  }

  /** SHA-256 over everything that decides the weights. */
  private static String identity(ImageSet images, Recipe recipe) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(JSON.writeValueAsBytes(recipe));
      digest.update(JSON.writeValueAsBytes(images.classNames()));
      digest.update(JSON.writeValueAsBytes(images.labels()));
      digest.update(
          "%d %d %d".formatted(images.count(), images.height(), images.width()).getBytes(StandardCharsets.UTF_8));
      digest.update(images.pixels());
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException | JsonProcessingException e) {
      throw new AssertionError(e);
    }
  }

  private static double secondsSince(long start) {
    return (System.nanoTime() - start) / 1e9;
  }

  @Override
  public void close() {
    packed.close();
    trainer.close();
    classifier.close();
  }
}
