// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.InvalidInputException;
import dev.motley.MotleyVersion;
import dev.motley.Precision;
import dev.motley.ProgressListener;
import dev.motley.config.Yaml;
import dev.motley.dataset.DatasetGenerator;
import dev.motley.dataset.GenerationResult;
import dev.motley.dataset.GeneratorOptions;
import dev.motley.dataset.ImageSet;
import dev.motley.dataset.RealData;
import dev.motley.dataset.Resize;
import dev.motley.dataset.StoreEntry;
import dev.motley.dataset.SyntheticStore;
import dev.motley.diffusion.DiffusionPipeline;
import dev.motley.evaluate.ClassNames;
import dev.motley.evaluate.Evaluation;
import dev.motley.evaluate.Evaluator;
import dev.motley.ffi.NativeInfo;
import dev.motley.ffi.NativeRuntime;
import dev.motley.files.AtomicFile;
import dev.motley.files.FolderLock;
import dev.motley.report.EpochPoint;
import dev.motley.report.Experiment;
import dev.motley.report.Fact;
import dev.motley.report.MistakePicture;
import dev.motley.report.Picture;
import dev.motley.report.Report;
import dev.motley.report.ReportData;
import dev.motley.report.Sample;
import dev.motley.report.Stage;
import dev.motley.train.Classifier;
import dev.motley.train.EpochMetrics;
import dev.motley.train.Training;
import dev.motley.train.TrainingResult;
import dev.motley.tricks.GenerationPlan;
import dev.motley.tricks.PlannedImage;
import dev.motley.tricks.Trick;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;

/**
 * Carries out a {@link RunConfig} in one folder: for each set {@code NAME/images} (its store), {@code NAME/training}, {@code
 * NAME/evaluation.json}; for all {@code config.yaml} (resolved) and {@code report.html}. Whatever is there already and belongs to
 * the same config is kept, so a run that was stopped goes on.
 */
final class Experimenter {
  private static final Duration CHECKPOINT_EVERY = Duration.ofMinutes(2);
  private static final int MISTAKES = 12;

  private final RunConfig config;
  private final Path folder;
  private final ProgressListener listener;
  private final List<Stage> stages = new ArrayList<>();
  private String modelHash = "";

  /**
   * What a run ends with.
   *
   * @param evaluations one for each set, in the config's order
   * @param report the page
   */
  record Outcome(List<Evaluation> evaluations, Path report) {}

  Experimenter(RunConfig config, Path folder, ProgressListener listener) {
    this.config = config;
    this.folder = folder;
    this.listener = listener;
  }

  Outcome run() {
    ImageSet real = realImages();
    AtomicFile.createFolder(folder);
    try (FolderLock _ = FolderLock.take(folder)) {
      return run(real);
    }
  }

  private Outcome run(ImageSet real) {
    writeConfig();
    generate();
    var experiments = new ArrayList<Experiment>();
    for (RunConfig.SetConfig set : config.sets()) {
      experiments.add(experiment(set, real));
    }
    Path report = folder.resolve("report.html");
    Report.write(reportData(experiments, real), report);
    return new Outcome(experiments.stream().map(Experiment::evaluation).toList(), report);
  }

  /** The test set first: if it does not fit, nothing has been drawn in vain. */
  private ImageSet realImages() {
    int size = config.recipe().imageSize();
    ImageSet images =
        RealData.open(
                config.realSpec(),
                new RealData.Options(RealData.Split.TEST, size, Resize.Filter.BILINEAR_AA))
            .images();
    ClassNames.requireSame(config.sets().getFirst().plan().classes().labels(), images.classNames(), images.name());
    return images;
  }

  private void writeConfig() {
    Path file = folder.resolve("config.yaml");
    if (!Files.exists(file)) {
      AtomicFile.write(file, Yaml.write(config.toTree()));
    } else if (!RunConfig.read(file).equals(config)) {
      throw new InvalidInputException(
          folder + " holds the run of another config: give another folder or remove it");
    }
  }

  private Path part(RunConfig.SetConfig set, String name) {
    return folder.resolve(set.folder()).resolve(name);
  }

  private void generate() {
    try (DiffusionPipeline pipeline = DiffusionPipeline.load(config.modelFolder(), config.precision())) {
      modelHash = pipeline.modelHash();
      var earlier = new ArrayList<SyntheticStore>();
      for (RunConfig.SetConfig set : config.sets()) {
        var options =
            new GeneratorOptions(
                config.batch(), config.storedSize(), config.resize(), config.precision(), earlier);
        GenerationResult result =
            DatasetGenerator.generate(
                GenerationPlan.of(set.plan()), pipeline, part(set, "images"), options, listener);
        if (result.drawn() > 0) { // of this run: what an earlier one drew took its own time
          stages.add(
              new Stage("Generate: " + set.name(), result.seconds(), result.drawn(), "images"));
        }
        earlier.add(SyntheticStore.open(part(set, "images")));
      }
    }
  }

  private Experiment experiment(RunConfig.SetConfig set, ImageSet real) {
    ImageSet images = Stores.load(List.of(part(set, "images")));
    TrainingResult training =
        Training.run(images, config.recipe(), part(set, "training"), CHECKPOINT_EVERY, listener);
    long seen = (long) images.count() * config.recipe().epochs();
    double seconds = training.epochs().stream().mapToDouble(EpochMetrics::seconds).sum();
    stages.add(new Stage("Train: " + set.name(), seconds, seen, "images"));
    long start = System.nanoTime();
    Evaluation evaluation;
    try (Classifier classifier = Classifier.load(training.model(), Precision.FP32)) {
      evaluation = Evaluator.evaluate(classifier, real, config.testBatch(), listener);
    }
    stages.add(
        new Stage("Test: " + set.name(), (System.nanoTime() - start) / 1e9, 2L * real.count(), "images"));
    evaluation.write(part(set, "evaluation.json"));
    return new Experiment(
        set.name(),
        set.description(),
        images.count(),
        evaluation,
        training.epochs().stream()
            .map(e -> new EpochPoint(e.epoch() + 1, e.loss(), e.accuracy()))
            .toList(),
        evaluation.running().worstMistakes().stream()
            .limit(MISTAKES)
            .map(m -> new MistakePicture(m, picture(real, m.image())))
            .toList());
  }

  private static Picture picture(ImageSet images, int i) {
    return Picture.rgb(images.width(), images.height(), images.image(i).pixels());
  }

  private ReportData reportData(List<Experiment> experiments, ImageSet real) {
    NativeInfo info = NativeRuntime.info();
    return new ReportData(
        config.title(),
        config.recipe().architecture(),
        real.name(),
        experiments,
        samples(),
        stages,
        Yaml.write(config.toTree()),
        List.of(
            new Fact("Motley", MotleyVersion.current()),
            new Fact("Diffusion model", modelHash),
            new Fact("Java", System.getProperty("java.vm.name") + " " + Runtime.version()),
            new Fact("libtorch", info.libtorchVersion()),
            new Fact("CPU", info.cpu() + ", " + info.threads() + " threads, " + info.isa()),
            new Fact("CUDA", info.cuda())));
  }

  /** One picture of each class and trick, from the set that has the most tricks. */
  private List<Sample> samples() {
    RunConfig.SetConfig richest =
        config.sets().stream()
            .max(Comparator.comparingInt(s -> s.plan().mix().imagesPerClass().size()))
            .orElseThrow();
    SyntheticStore store = SyntheticStore.open(part(richest, "images"));
    List<String> labels = richest.plan().classes().labels();
    var seen = new HashSet<String>();
    var samples = new ArrayList<Sample>();
    for (StoreEntry entry : store.entries()) {
      PlannedImage image = store.planned(entry);
      if (seen.add(image.trick().id() + " " + image.classIndex())) {
        samples.add(
            new Sample(
                labels.get(image.classIndex()),
                image.trick().id(),
                image.prompt(),
                image.guidance(),
                Picture.png(store.png(entry))));
      }
    }
    samples.sort(Comparator.comparing(s -> Trick.named(s.trick())));
    return samples;
  }
}
