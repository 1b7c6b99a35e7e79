// SPDX-License-Identifier: Apache-2.0
package dev.motley.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.motley.CancelledException;
import dev.motley.InvalidInputException;
import dev.motley.NotFiniteException;
import dev.motley.Progress;
import dev.motley.ProgressListener;
import dev.motley.ResourceException;
import dev.motley.config.Yaml;
import dev.motley.dataset.ImageSet;
import dev.motley.ffi.NativeImages;
import dev.motley.ffi.NativeResources;
import dev.motley.ffi.NativeTrainer;
import dev.motley.ffi.TensorInfo;
import dev.motley.ffi.TrainerConfig;
import dev.motley.files.AtomicFile;
import dev.motley.files.DiskSpace;
import dev.motley.files.FileFailure;
import dev.motley.files.FolderLock;
import dev.motley.files.Sha256;
import dev.motley.weights.SafeTensors;
import dev.motley.weights.SafeTensorsWriter.Source;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * One training from scratch in a folder of its own: {@code recipe.yaml}, every field of it; {@code metrics.jsonl}; {@code
 * checkpoint.safetensors} while it runs, {@code model.safetensors} when it is done. Started again after any interruption it goes on from the last checkpoint and ends with the
 * weights of an uninterrupted run.
 */
public final class Training implements AutoCloseable {
  /** The longest work that a {@code kill -9} costs where nothing else is asked for. */
  public static final int DEFAULT_CHECKPOINT_SECONDS = 120;

  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final String CHECKPOINT = "checkpoint.safetensors";
  static final String MODEL = "model.safetensors";
  private static final String METRICS = "metrics.jsonl";
  private static final String RECIPE = "recipe.yaml";

  /** In the metadata of a finished model: which training it came from. */
  private static final String IDENTITY = "motley.training";

  private final ImageSet images;
  private final Recipe recipe;
  private final boolean headOnly;
  private final Path folder;
  private final Duration checkpointEvery;
  private final NativeResources open = new NativeResources();
  private final Classifier classifier;
  private final NativeTrainer trainer;
  private final NativeImages packed;
  private final MetricsLog metrics;
  private Checkpoint.Position position;
  private long lastCheckpoint = System.nanoTime();

  private Training(
      ImageSet images, Recipe recipe, Optional<Transfer> from, String identity, Path folder, Duration checkpointEvery) {
    this.images = images;
    this.recipe = recipe;
    this.headOnly = from.isPresent() && from.get().headOnly();
    this.folder = folder;
    this.checkpointEvery = checkpointEvery;
    Path file = folder.resolve(CHECKPOINT);
    Optional<SafeTensors> checkpoint =
        Files.exists(file) ? Optional.of(SafeTensors.open(file)) : Optional.empty();
    try {
      position =
          checkpoint.map(c -> Checkpoint.position(file, c)).orElseGet(() -> Checkpoint.Position.start(identity));
      requireSame(folder, position.identity(), identity);
      metrics = new MetricsLog(folder.resolve(METRICS), position.epoch());
      classifier =
          checkpoint
              .map(c -> open.add(Classifier.of(file.toString(), Checkpoint.network(c), spec(), recipe.precision())))
              .orElseGet(() -> open.add(begin(from)));
      trainer = open.add(NativeTrainer.create(classifier.network(), config()));
      checkpoint.ifPresent(c -> Checkpoint.restore(c, classifier, trainer, averages(), position));
      packed = open.add(Classifier.pack(images));
    } catch (RuntimeException | Error e) {
      open.close();
      throw e;
    } finally {
      checkpoint.ifPresent(SafeTensors::close);
    }
  }

  private Classifier begin(Optional<Transfer> from) {
    return from.map(transfer -> transfer.begin(spec(), recipe.precision(), recipe.seed()))
        .orElseGet(() -> Classifier.create(spec(), recipe.precision(), recipe.seed()));
  }

  /** As {@link #run(ImageSet, Recipe, Optional, Path, Duration, ProgressListener)}, from scratch. */
  public static TrainingResult run(
      ImageSet images, Recipe recipe, Path folder, Duration checkpointEvery, ProgressListener listener) {
    return run(images, recipe, Optional.empty(), folder, checkpointEvery, listener);
  }

  /**
   * Trains, or goes on with a training that was interrupted, or finds that it is done.
   *
   * @param images to learn from, of the recipe's size
   * @param recipe how
   * @param from weights to begin with; from scratch without
   * @param folder of this training alone; made if absent
   * @param checkpointEvery the longest time of work that a {@code kill -9} may cost; a stop by the listener costs none
   * @param listener hears every step; may stop
   * @throws CancelledException if the listener stopped it; the state is kept
   * @throws InvalidInputException if the folder belongs to another training or is in use, or images or weights do not fit
   * @throws NotFiniteException if the loss or what was learned is not finite; the last checkpoint, which is, is kept
   * @throws ResourceException if the disk cannot take the checkpoints or the model; the last checkpoint is kept
   */
  public static TrainingResult run(
      ImageSet images,
      Recipe recipe,
      Optional<Transfer> from,
      Path folder,
      Duration checkpointEvery,
      ProgressListener listener) {
    if (images.height() != recipe.imageSize() || images.width() != recipe.imageSize()) {
      throw new InvalidInputException(
          "%s has images of %dx%d pixels, the recipe says %dx%d"
              .formatted(images.name(), images.width(), images.height(), recipe.imageSize(), recipe.imageSize()));
    }
    require(images.name(), images.count(), images.classNames().size(), recipe, from.isPresent() && from.get().headOnly());
    AtomicFile.createFolder(folder);
    try (FolderLock _ = FolderLock.take(folder)) {
      String identity = identity(images, recipe, from);
      if (isDone(folder, identity)) {
        removeCheckpoint(folder); // a kill between the two may have left it
        return new TrainingResult(
            folder.resolve(MODEL), new MetricsLog(folder.resolve(METRICS), recipe.epochs()).epochs(), 0);
      }
      try (var training = new Training(images, recipe, from, identity, folder, checkpointEvery)) {
        return training.run(listener);
      }
    }
  }

  /** Refuses the model of a training that is still to end, for which a missing file alone would be no explanation. */
  static void requireEnded(Path model) {
    Path folder = model.toAbsolutePath().getParent();
    if (!Files.exists(model)
        && model.endsWith(MODEL)
        && (Files.exists(folder.resolve(CHECKPOINT)) || Files.exists(folder.resolve(METRICS)))) {
      throw new InvalidInputException(
          "%s is not there yet: the training in %s has not ended; give its command again to go on"
              .formatted(model, folder.getFileName()));
    }
  }

  /**
   * Refuses what could not be trained from scratch, before the images are there.
   *
   * @param name of the images, for messages
   * @param images how many there will be
   * @throws InvalidInputException if the architecture cannot have the recipe's size, stem or rates, or so many images do not fill its batches
   */
  public static void require(String name, int images, int classes, Recipe recipe) {
    require(name, images, classes, recipe, false);
  }

  private static void require(String name, int images, int classes, Recipe recipe, boolean headOnly) {
    if (images == 0) {
      throw new InvalidInputException(name + " has no images to learn from");
    }
    int count = images - recipe.heldOut();
    if (count < 1) {
      throw new InvalidInputException(
          "%s has %,d images, of which the recipe holds out %,d: choose a smaller held-out, or 0"
              .formatted(name, images, recipe.heldOut()));
    }
    int rest = count % recipe.batch();
    int last = rest == 0 ? recipe.batch() : rest;
    int least = Classifier.leastBatch(recipe, classes);
    if (last < least && !headOnly) {
      throw new InvalidInputException(
          "%,d images in batches of %,d leave a batch of one image, which BatchNorm cannot train on: choose another batch"
              .formatted(count, recipe.batch()));
    }
  }

  private TrainingResult run(ProgressListener listener) {
    long start = System.nanoTime();
    TrainerConfig config = config();
    long perEpoch = config.stepsPerEpoch(images.count());
    long resumed = position.steps();
    requireSpace();
    AtomicFile.write(folder.resolve(RECIPE), Yaml.write(recipe.toTree()));
    while (position.epoch() < recipe.epochs()) {
      runUntilCheckpoint(perEpoch, resumed, listener);
      if (position.step() == perEpoch) {
        finishEpoch();
      }
      if (position.epoch() < recipe.epochs() && checkpointDue()) {
        saveCheckpoint();
      }
    }
    List<Source> tensors = averages() ? averaged() : classifier.tensors();
    classifier.save(
        folder.resolve(MODEL),
        Map.of(IDENTITY, position.identity()),
        tensors.stream().map(tensor -> Checkpoint.finite(tensor, position)).toList());
    removeCheckpoint(folder);
    return new TrainingResult(folder.resolve(MODEL), metrics.epochs(), secondsSince(start));
  }

  /** A checkpoint is written beside the one before; the model, a third as large, comes when there is no need of a next one. */
  private void requireSpace() {
    Path checkpoint = folder.resolve(CHECKPOINT);
    AtomicFile.removeRemains(checkpoint);
    long each = Checkpoint.bytes(classifier, trainer, averages());
    DiskSpace.require(folder, Files.exists(checkpoint) ? each : 2 * each, "the training's checkpoints");
  }

  private boolean checkpointDue() {
    return System.nanoTime() - lastCheckpoint >= checkpointEvery.toNanos();
  }

  private void saveCheckpoint() {
    Checkpoint.write(folder.resolve(CHECKPOINT), classifier, trainer, averages(), position);
    lastCheckpoint = System.nanoTime();
  }

  /** Runs to the epoch's end, to the time of the next checkpoint, or until the listener stops. */
  private void runUntilCheckpoint(long perEpoch, long resumed, ProgressListener listener) {
    long start = System.nanoTime();
    Checkpoint.Position before = position;
    boolean[] stopped = {false};
    NativeTrainer.Outcome outcome =
        steps(
            perEpoch - before.step(),
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
        Math.min((before.step() + outcome.done()) * recipe.batch(), count())
            - Math.min(before.step() * recipe.batch(), count());
    position = before.after(outcome, seen, secondsSince(start));
    if (stopped[0]) {
      if (position.step() == perEpoch) {
        finishEpoch();
      }
      saveCheckpoint();
      throw new CancelledException(
          "training stopped in epoch %d of %d; the state is kept in %s: run the same command again to go on"
              .formatted(before.epoch() + 1, recipe.epochs(), folder));
    }
  }

  private NativeTrainer.Outcome steps(long count, dev.motley.ffi.Progress progress) {
    int epoch = position.epoch();
    try {
      return trainer.run(
          packed, epoch, position.step(), count, recipe.learningRateAt(epoch), progress);
    } catch (NotFiniteException e) {
      throw new NotFiniteException(
          "training failed: " + e.getMessage() + ", both counted from 0; a lower learning rate may help");
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
        Math.min(recipe.batch(), count()),
        false,
        headOnly,
        Recipe.BETA1,
        Recipe.BETA2,
        Recipe.EPSILON,
        recipe.weightDecay(),
        recipe.options().labelSmoothing(),
        a.scaleMin(),
        a.scaleMax(),
        a.ratioMin(),
        a.ratioMax(),
        a.flip(),
        a.rotation(),
        a.resize(),
        recipe.heldOut(),
        recipe.options().mixup(),
        recipe.options().ema(),
        recipe.options().clipNorm(),
        recipe.options().randAugment(),
        recipe.options().randAugmentMagnitude(),
        recipe.normalisation(),
        recipe.seed());
  }

  private ClassifierSpec spec() {
    return ClassifierSpec.of(recipe, images.classNames());
  }

  private boolean averages() {
    return recipe.options().ema() > 0;
  }

  /** The network with the averages of its weights, and its buffers as they are. */
  private List<Source> averaged() {
    var tensors = new ArrayList<>(classifier.tensors());
    List<TensorInfo> infos = classifier.network().tensors();
    for (int i = 0; i < infos.size(); i++) {
      TensorInfo info = infos.get(i);
      if (trainer.trains(info)) {
        int index = i;
        tensors.set(
            i,
            Source.ofFloats(info.name(), Classifier.shape(info), () -> trainer.read(index, NativeTrainer.State.AVERAGE)));
      }
    }
    return tensors;
  }

  /** Images that are trained on. */
  private int count() {
    return images.count() - recipe.heldOut();
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

  /** A finished model needs none, and it is three times as large. */
  private static void removeCheckpoint(Path folder) {
    try {
      Files.deleteIfExists(folder.resolve(CHECKPOINT));
    } catch (IOException e) {
      throw new ResourceException("cannot remove " + folder.resolve(CHECKPOINT) + ": " + FileFailure.reason(e), e);
    }
  }

  /** SHA-256 over everything that decides the weights. */
  private static String identity(ImageSet images, Recipe recipe, Optional<Transfer> from) {
    try {
      MessageDigest digest = Sha256.begin();
      digest.update(JSON.writeValueAsBytes(recipe));
      digest.update(images.sha256().getBytes(StandardCharsets.US_ASCII));
      from.ifPresent(transfer -> digest.update(transfer.identity().getBytes(StandardCharsets.US_ASCII)));
      return Sha256.hex(digest);
    } catch (JsonProcessingException e) {
      throw new AssertionError(e);
    }
  }

  private static double secondsSince(long start) {
    return (System.nanoTime() - start) / 1e9;
  }

  @Override
  public void close() {
    open.close();
  }
}
