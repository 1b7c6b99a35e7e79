// SPDX-License-Identifier: Apache-2.0
package dev.motley.run;

import dev.motley.CancelledException;
import dev.motley.InvalidInputException;
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
import dev.motley.files.AtomicFile;
import dev.motley.files.FileFailure;
import dev.motley.files.FolderLock;
import dev.motley.image.Resize;
import dev.motley.report.Report;
import dev.motley.results.Testing;
import dev.motley.results.Trained;
import dev.motley.results.TrainingData;
import dev.motley.results.TrainingRecord;
import dev.motley.run.TrainingSeries.Member;
import dev.motley.train.EpochMetrics;
import dev.motley.train.Training;
import dev.motley.tricks.GenerationPlan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Carries out a {@link RunConfig} in one folder: for each set {@code NAME/images} (its store, unless those of earlier sets hold all of
 * its images) and {@code NAME/ledger.yaml} (how long it was drawn), for each of its trainings {@code NAME/ARCHITECTURE/seed-N}, with a
 * {@link TrainingRecord} and the result of its test; for all {@code config.yaml} (resolved) and {@code report.html}. Whatever is
 * there already is kept, so a run that was stopped goes on, and one whose config is given more sets, architectures or seeds grows.
 */
public final class Run {
  private static final String CONFIG = "config.yaml";
  private static final Duration CHECKPOINT_EVERY = Duration.ofSeconds(Training.DEFAULT_CHECKPOINT_SECONDS);

  private final RunConfig config;
  private final Embedded embedded;
  private final Path folder;
  private final ProgressListener listener;
  private final RunStores stores;
  private final TrainingClock clock = new TrainingClock();
  private String modelHash = "";

  private Run(RunConfig config, Embedded embedded, Path folder, ProgressListener listener) {
    this.config = config;
    this.embedded = embedded;
    this.folder = folder;
    this.listener = listener;
    stores = new RunStores(config, folder);
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
    requireTrainings(config);
    try (ImageSet real = realImages(config, embedded);
        DiffusionPipeline pipeline =
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

  /** What is known before anything is drawn: the trainings and the test set. If one of them cannot be, nothing has been done in vain. */
  static void requirePossible(RunConfig config, Embedded embedded) {
    requireTrainings(config);
    realImages(config, embedded).close();
  }

  private static void requireTrainings(RunConfig config) {
    for (RunConfig.SetConfig set : config.sets()) {
      int images = GenerationPlan.of(set.plan()).size();
      int classes = set.plan().classes().labels().size();
      config.recipes().stream()
          .filter(recipe -> set.architectures().contains(recipe.architecture()))
          .forEach(recipe -> Training.require("set '" + set.name() + "'", images, classes, recipe));
    }
  }

  private static ImageSet realImages(RunConfig config, Embedded embedded) {
    String source = config.realImages(embedded);
    if (source.isEmpty()) {
      throw PaperSets.noRealImages(config.sets().getFirst().plan().classes().name());
    }
    int size = config.recipes().getFirst().imageSize();
    ImageSet images =
        RealData.open(source, new RealData.Options(RealData.Split.TEST, size, Resize.Filter.BILINEAR_AA)).images();
    return ClassNames.inOrderOf(
        "the config's sets have",
        config.sets().getFirst().plan().classes().labels(),
        images,
        "the real set " + source,
        "'real' must name real images of the classes in 'sets'");
  }

  /** A run shares its folder with nothing: not with a store or a training of its own. */
  private void requireOwn() {
    Path file = folder.resolve(CONFIG);
    if (Files.exists(file) || !Files.isDirectory(folder)) {
      return;
    }
    Path unwritten = AtomicFile.remains(file).getFileName(); // of a run that was killed at its very beginning
    try (Stream<Path> entries = Files.list(folder)) {
      if (entries.anyMatch(entry -> !entry.endsWith(FolderLock.FILE) && !entry.endsWith(unwritten))) {
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
    if (!begun.drawsAlike(config) && begun.sets().stream().anyMatch(stores::holdImages)) {
      throw new InvalidInputException(
          folder + " holds the run of another config: give another folder or remove it");
    }
    requireOwnTrainings();
    AtomicFile.write(file, Yaml.write(config.toTree())); // the other came to nothing, or has the same images
  }

  /** What is trained already must be what this config would train. */
  private void requireOwnTrainings() {
    for (PlannedTraining planned : config.plannedTrainings()) {
      Path training = folder(planned);
      TrainingRecord.find(training)
          .filter(record -> !record.recipe().equals(planned.recipe()))
          .ifPresent(
              _ -> {
                throw new InvalidInputException(
                    training + " was trained by another recipe than this config's: give another folder or remove it");
              });
    }
  }

  private Path folder(PlannedTraining planned) {
    Path ofArchitecture = stores.folder(planned.set()).resolve(planned.recipe().architecture());
    return TrainingSeries.folder(ofArchitecture, planned.recipe().seed());
  }

  /** The listener, told what the work is on. */
  private ProgressListener on(String subject) {
    return progress -> listener.onProgress(progress.on(subject));
  }

  /** Draws all sets, and closes the pipeline: the trainings need its memory. */
  private void draw(DiffusionPipeline pipeline) {
    try (pipeline) {
      for (List<RunConfig.SetConfig> alike : stores.drawnTogether()) {
        if (stores.covers(alike)) {
          continue;
        }
        RunConfig.SetConfig first = alike.getFirst();
        Ledger ledger = ledger(first);
        ledger.draw(on(first.name()), hears -> stores.draw(alike, pipeline, hears));
      }
    }
  }

  private RunResult trainAndTest(ImageSet real) {
    var page = new RunReport(config, modelHash, real);
    var testing = new Testing(real, config.testBatch());
    var trained = new ArrayList<Trained>();
    for (RunConfig.SetConfig set : config.sets()) {
      Ledger ledger = ledger(set);
      if (ledger.drawn() > 0) {
        page.book("Generate: " + set.name(), ledger.drawingSeconds(), ledger.drawn());
      }
    }
    for (RunConfig.SetConfig set : config.sets()) {
      StoreView view = stores.view(set);
      try (ImageSet images = view.load()) {
        stores.own(set).flatMap(SyntheticStore::safety).ifPresent(summary -> page.addSafety(set, summary, images));
        var data = TrainingData.of(set.name(), GenerationPlan.of(set.plan()), view, images);
        for (PlannedTraining planned : config.plannedTrainings().stream().filter(one -> one.set().equals(set)).toList()) {
          var series = new TrainingSeries(images, data, planned.recipe(), Optional.empty(), CHECKPOINT_EVERY, Optional.of(testing));
          ProgressListener hears = on(planned.subject(config, clock.left(imagesLeft())));
          Member member = series.run(planned.recipe().seed(), folder(planned), hears);
          trained.add(member.tested().orElseThrow());
          clock.add(planned.recipe().architecture(), seconds(member), (long) images.count() * member.result().epochs().size());
          page.add(set, trained.getLast(), member.result().epochs());
        }
      }
    }
    Path report = folder.resolve("report.html");
    RunConfig.SetConfig richest = config.richestSet();
    Report.write(page.data(trained, page.samples(richest, stores.view(richest))), report);
    return new RunResult(trained, report);
  }

  private static double seconds(Member member) {
    return member.result().epochs().stream().mapToDouble(EpochMetrics::seconds).sum();
  }

  /** What trainings without a record will see, by architecture. */
  private Map<String, Long> imagesLeft() {
    var left = new TreeMap<String, Long>();
    for (PlannedTraining planned : config.plannedTrainings()) {
      if (!Files.exists(folder(planned).resolve(TrainingRecord.FILE))) {
        left.merge(planned.recipe().architecture(), planned.images(), Long::sum);
      }
    }
    return left;
  }

  private Ledger ledger(RunConfig.SetConfig set) {
    return Ledger.of(stores.folder(set));
  }
}
