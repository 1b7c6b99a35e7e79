// SPDX-License-Identifier: Apache-2.0
package dev.motley.run;

import dev.motley.CancelledException;
import dev.motley.InvalidInputException;
import dev.motley.Precision;
import dev.motley.ProgressListener;
import dev.motley.config.Yaml;
import dev.motley.dataset.DatasetGenerator;
import dev.motley.dataset.ImageSet;
import dev.motley.dataset.RealData;
import dev.motley.dataset.SafetyPolicy;
import dev.motley.dataset.StoreView;
import dev.motley.dataset.SyntheticStore;
import dev.motley.diffusion.DiffusionPipeline;
import dev.motley.evaluate.ClassNames;
import dev.motley.evaluate.Evaluation;
import dev.motley.evaluate.Evaluator;
import dev.motley.files.AtomicFile;
import dev.motley.files.FileFailure;
import dev.motley.files.FolderLock;
import dev.motley.files.Sha256;
import dev.motley.image.Resize;
import dev.motley.report.Experiment;
import dev.motley.report.Report;
import dev.motley.report.SafetyRow;
import dev.motley.report.Stage;
import dev.motley.train.Classifier;
import dev.motley.train.EpochMetrics;
import dev.motley.train.Training;
import dev.motley.train.TrainingResult;
import dev.motley.tricks.GenerationPlan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Carries out a {@link RunConfig} in one folder: for each set {@code NAME/images} (its store), {@code NAME/training}, {@code
 * NAME/evaluation.json} and {@code NAME/ledger.yaml} (its times); for all {@code config.yaml} (resolved) and {@code
 * report.html}. Whatever is there already and belongs to the same config is kept, so a run that was stopped goes on.
 */
public final class Run {
  private static final String CONFIG = "config.yaml";
  private static final Duration CHECKPOINT_EVERY = Duration.ofSeconds(Training.DEFAULT_CHECKPOINT_SECONDS);

  private final RunConfig config;
  private final Embedded embedded;
  private final Path folder;
  private final ProgressListener listener;
  private final List<Stage> stages = new ArrayList<>();
  private String modelHash = "";

  private Run(RunConfig config, Embedded embedded, Path folder, ProgressListener listener) {
    this.config = config;
    this.embedded = embedded;
    this.folder = folder;
    this.listener = listener;
  }

  /**
   * Does the whole of it, or what is left of it.
   *
   * @param config what to do
   * @param embedded what {@code embedded} stands for in it
   * @param folder for everything the run makes; made if absent
   * @param listener hears every step of every stage; may stop
   * @return how the classifiers did, and where the report is
   * @throws CancelledException if the listener stopped it; what was done is kept
   * @throws InvalidInputException if the real images do not fit the classes or the model cannot draw what is asked, before
   *     anything is written; or if the folder holds another run or is in use
   */
  public static RunResult execute(RunConfig config, Embedded embedded, Path folder, ProgressListener listener) {
    return new Run(config, embedded, folder, listener).execute();
  }

  private RunResult execute() {
    ImageSet real = realImages();
    try (DiffusionPipeline pipeline =
        DiffusionPipeline.load(
            config.modelFolder(embedded),
            config.precision(),
            config.ema(),
            config.safety() != SafetyPolicy.OFF,
            config.sets().stream().map(set -> DatasetGenerator.sampling(set.plan())).toList(),
            listener)) {
      modelHash = pipeline.modelHash();
      requireOwn();
      AtomicFile.createFolder(folder); // nothing is written before all that can be checked is
      try (FolderLock _ = FolderLock.take(folder)) {
        writeConfig();
        draw(pipeline);
        return trainAndTest(real);
      }
    }
  }

  /** The test set first: if it does not fit, nothing has been drawn in vain. */
  private ImageSet realImages() {
    int size = config.recipe().imageSize();
    ImageSet images =
        RealData.open(
                config.realImages(embedded),
                new RealData.Options(RealData.Split.TEST, size, Resize.Filter.BILINEAR_AA))
            .images();
    return ClassNames.inOrderOf(
        "the config's sets have",
        config.sets().getFirst().plan().classes().labels(),
        images,
        "the real set " + config.realImages(embedded),
        "'real' must name real images of the classes in 'sets'");
  }

  /** A run shares its folder with nothing: not with a store or a training of its own. */
  private void requireOwn() {
    if (Files.exists(folder.resolve(CONFIG)) || !Files.isDirectory(folder)) {
      return;
    }
    try (Stream<Path> entries = Files.list(folder)) {
      if (entries.anyMatch(entry -> !entry.endsWith(FolderLock.FILE))) {
        throw new InvalidInputException(
            folder + " holds something else than a run: give another folder");
      }
    } catch (IOException e) {
      throw FileFailure.readingIn(folder, e);
    }
  }

  private void writeConfig() {
    Path file = folder.resolve(CONFIG);
    if (!Files.exists(file)) {
      AtomicFile.write(file, Yaml.write(config.toTree()));
      return;
    }
    RunConfig begun = RunConfig.read(file, embedded);
    if (begun.equals(config)) {
      return;
    }
    if (begun.sets().stream().anyMatch(set -> SyntheticStore.holdsImages(part(set, "images")))) {
      throw new InvalidInputException(
          folder + " holds the run of another config: give another folder or remove it");
    }
    AtomicFile.write(file, Yaml.write(config.toTree())); // the other came to nothing
  }

  /** The listener, told which set the work is on. */
  private ProgressListener on(RunConfig.SetConfig set) {
    return progress -> listener.onProgress(progress.on(set.name()));
  }

  private Path part(RunConfig.SetConfig set, String name) {
    return folder.resolve(set.folder()).resolve(name);
  }

  /** Draws all sets, and closes the pipeline: the trainings need its memory. */
  private void draw(DiffusionPipeline pipeline) {
    var earlier = new ArrayList<SyntheticStore>();
    try (pipeline) {
      for (RunConfig.SetConfig set : config.sets()) {
        Ledger ledger = ledger(set);
        ledger.draw(
            on(set),
            hears ->
                DatasetGenerator.generate(
                    GenerationPlan.of(set.plan()), pipeline, part(set, "images"), config.generator(earlier), hears));
        if (ledger.drawn() > 0) {
          stages.add(new Stage("Generate: " + set.name(), ledger.drawingSeconds(), ledger.drawn(), "images"));
        }
        earlier.add(SyntheticStore.open(part(set, "images")));
      }
    }
  }

  private RunResult trainAndTest(ImageSet real) {
    var page = new RunReport(config, modelHash, real);
    var experiments = new ArrayList<Experiment>();
    var safety = new ArrayList<SafetyRow>();
    String testSet = real.sha256();
    for (RunConfig.SetConfig set : config.sets()) {
      ImageSet images = StoreView.ofFinished(List.of(part(set, "images"))).load();
      SyntheticStore.open(part(set, "images"))
          .safety()
          .ifPresent(summary -> safety.addAll(page.safety(set, summary, images)));
      TrainingResult training =
          Training.run(images, config.recipe(), part(set, "training"), CHECKPOINT_EVERY, on(set));
      long seen = (long) images.count() * config.recipe().epochs();
      double seconds = training.epochs().stream().mapToDouble(EpochMetrics::seconds).sum();
      stages.add(new Stage("Train: " + set.name(), seconds, seen, "images"));
      Evaluation evaluation = test(set, training.model(), real, testSet);
      experiments.add(page.experiment(set, images.count(), training, evaluation));
    }
    RunConfig.SetConfig richest = config.richestSet();
    Path report = folder.resolve("report.html");
    Report.write(
        page.data(experiments, stages, page.samples(richest, SyntheticStore.open(part(richest, "images"))), safety), report);
    return new RunResult(experiments.stream().map(Experiment::evaluation).toList(), report);
  }

  /** @param testSet hash of {@code real} */
  private Evaluation test(RunConfig.SetConfig set, Path model, ImageSet real, String testSet) {
    Path file = part(set, "evaluation.json");
    Ledger ledger = ledger(set);
    String identity = hash(model) + " " + testSet + " " + config.testBatch();
    if (!ledger.isTested(identity) || !Files.exists(file)) {
      long start = System.nanoTime();
      try (Classifier classifier = Classifier.load(model, Precision.FP32)) {
        Evaluator.evaluate(classifier, real, config.testBatch(), on(set)).write(file);
      } catch (CancelledException e) {
        throw new CancelledException("stopped while testing; run the same command again to go on", e);
      }
      ledger.test(identity, (System.nanoTime() - start) / 1e9);
    }
    stages.add(new Stage("Test: " + set.name(), ledger.testingSeconds(), 2L * real.count(), "images"));
    return Evaluation.read(file);
  }

  private static String hash(Path model) {
    try {
      return Sha256.of(model);
    } catch (IOException e) {
      throw FileFailure.reading(model, e);
    }
  }

  private Ledger ledger(RunConfig.SetConfig set) {
    return Ledger.of(folder.resolve(set.folder()));
  }
}
