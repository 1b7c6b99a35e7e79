// SPDX-License-Identifier: Apache-2.0
package dev.motley.run;

import dev.motley.MotleyVersion;
import dev.motley.config.Yaml;
import dev.motley.dataset.ImageSet;
import dev.motley.dataset.SafetyCounts;
import dev.motley.dataset.SafetySummary;
import dev.motley.dataset.StoreView;
import dev.motley.evaluate.Evaluation;
import dev.motley.ffi.NativeInfo;
import dev.motley.ffi.NativeRuntime;
import dev.motley.report.EpochPoint;
import dev.motley.report.Experiment;
import dev.motley.report.Fact;
import dev.motley.report.MistakePicture;
import dev.motley.report.Picture;
import dev.motley.report.ReportData;
import dev.motley.report.SafetyRow;
import dev.motley.report.Sample;
import dev.motley.report.Stage;
import dev.motley.report.TablePage;
import dev.motley.report.TrainingRow;
import dev.motley.results.Trained;
import dev.motley.train.EpochMetrics;
import dev.motley.tricks.PlannedImage;
import dev.motley.tricks.Trick;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Puts together what the report of a run shows. */
final class RunReport {
  private static final int MISTAKES = 12;

  private final RunConfig config;
  private final String modelHash;
  private final ImageSet real;
  private final List<Experiment> experiments = new ArrayList<>();
  private final List<TrainingRow> trainings = new ArrayList<>();
  private final List<SafetyRow> safety = new ArrayList<>();
  private final Map<String, Stage> stages = new LinkedHashMap<>();

  RunReport(RunConfig config, String modelHash, ImageSet real) {
    this.config = config;
    this.modelHash = modelHash;
    this.real = real;
  }

  /**
   * Adds a training; the first of each set is shown in detail, of as many sets as have a colour.
   *
   * @param epochs the course of it
   */
  void add(RunConfig.SetConfig set, Trained trained, List<EpochMetrics> epochs) {
    trainings.add(
        new TrainingRow(
            set.name(),
            trained.record().recipe().architecture(),
            trained.record().recipe().seed(),
            trained.evaluation()));
    boolean isShown = experiments.stream().anyMatch(experiment -> experiment.name().equals(set.name()));
    if (!isShown && experiments.size() < ReportData.MAX_EXPERIMENTS) {
      experiments.add(experiment(set, trained, epochs));
    }
    double training = epochs.stream().mapToDouble(EpochMetrics::seconds).sum();
    long images = trained.record().data().images();
    book("Train: " + set.name(), training, images * epochs.size());
    book("Test: " + set.name(), trained.record().test().orElseThrow().seconds(), 2L * real.count());
  }

  /** Adds time and images to a stage. */
  void book(String stage, double seconds, long images) {
    Stage before = stages.getOrDefault(stage, new Stage(stage, 0, 0, "images"));
    stages.put(stage, new Stage(stage, before.seconds() + seconds, before.count() + images, "images"));
  }

  private Experiment experiment(RunConfig.SetConfig set, Trained trained, List<EpochMetrics> epochs) {
    Evaluation evaluation = trained.evaluation();
    return new Experiment(
        set.name(),
        set.description(),
        trained.record().data().images(),
        evaluation,
        epochs.stream().map(e -> new EpochPoint(e.epoch() + 1, e.loss(), e.accuracy())).toList(),
        evaluation.running().worstMistakes().stream()
            .limit(MISTAKES)
            .map(m -> new MistakePicture(m, picture(m.image())))
            .toList());
  }

  private Picture picture(int image) {
    return Picture.rgb(real.width(), real.height(), real.image(image).pixels());
  }

  /** What the safety checker did to a set: in all, and to the classes with a flagged picture; the rest was let pass. */
  void addSafety(RunConfig.SetConfig set, SafetySummary summary, ImageSet images) {
    List<String> labels = set.plan().classes().labels();
    int[] trained = images.classCounts();
    safety.add(row(set, "all classes", summary.total(), images.count()));
    for (int i = 0; i < labels.size(); i++) {
      SafetyCounts counts = summary.classes().get(labels.get(i));
      if (counts.flagged() > 0) {
        safety.add(row(set, labels.get(i), counts, trained[i]));
      }
    }
  }

  private static SafetyRow row(RunConfig.SetConfig set, String scope, SafetyCounts counts, int trained) {
    return new SafetyRow(
        set.name(), scope, counts.checked(), counts.flagged(), counts.kept(), counts.dropped(), counts.redone(), trained);
  }

  ReportData data(List<Trained> trained, List<Sample> samples) {
    NativeInfo info = NativeRuntime.info();
    boolean several = trainings.size() > experiments.size();
    boolean tabled = trainings.size() > 2; // of two, the first table says it all
    return new ReportData(
        config.title(),
        trainings.getFirst().architecture(),
        real.name(),
        experiments,
        several ? trainings : List.of(),
        tabled ? TablePage.tables(trained) : List.of(),
        samples,
        safety,
        List.copyOf(stages.values()),
        Yaml.write(config.toTree()),
        List.of(
            new Fact("Motley", MotleyVersion.current()),
            new Fact("Diffusion model", modelHash),
            new Fact("Java", System.getProperty("java.vm.name") + " " + Runtime.version()),
            new Fact("libtorch", info.libtorchVersion()),
            new Fact("CPU", info.cpu() + ", " + info.threads() + " threads, " + info.isa()),
            new Fact("CUDA", info.cuda())));
  }

  /** One picture of each class and trick. */
  List<Sample> samples(RunConfig.SetConfig set, StoreView view) {
    List<String> labels = set.plan().classes().labels();
    var seen = new HashSet<String>();
    var samples = new ArrayList<Sample>();
    for (StoreView.Item item : view.items()) {
      PlannedImage image = item.planned();
      if (seen.add(image.trick().id() + " " + image.classIndex())) {
        samples.add(
            new Sample(
                labels.get(image.classIndex()),
                image.trick().id(),
                image.prompt(),
                image.guidance(),
                Picture.png(item.store().png(item.entry()))));
      }
    }
    samples.sort(Comparator.comparing(s -> Trick.named(s.trick())));
    return samples;
  }
}
