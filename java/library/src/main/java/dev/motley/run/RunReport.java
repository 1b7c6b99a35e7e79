// SPDX-License-Identifier: Apache-2.0
package dev.motley.run;

import dev.motley.MotleyVersion;
import dev.motley.config.Yaml;
import dev.motley.dataset.ImageSet;
import dev.motley.dataset.SafetyCounts;
import dev.motley.dataset.SafetySummary;
import dev.motley.dataset.StoreEntry;
import dev.motley.dataset.SyntheticStore;
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
import dev.motley.train.TrainingResult;
import dev.motley.tricks.PlannedImage;
import dev.motley.tricks.Trick;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;

/** Puts together what the report of a run shows. */
final class RunReport {
  private static final int MISTAKES = 12;

  private final RunConfig config;
  private final String modelHash;
  private final ImageSet real;

  RunReport(RunConfig config, String modelHash, ImageSet real) {
    this.config = config;
    this.modelHash = modelHash;
    this.real = real;
  }

  Experiment experiment(RunConfig.SetConfig set, int images, TrainingResult training, Evaluation evaluation) {
    return new Experiment(
        set.name(),
        set.description(),
        images,
        evaluation,
        training.epochs().stream().map(e -> new EpochPoint(e.epoch() + 1, e.loss(), e.accuracy())).toList(),
        evaluation.running().worstMistakes().stream()
            .limit(MISTAKES)
            .map(m -> new MistakePicture(m, picture(m.image())))
            .toList());
  }

  private Picture picture(int image) {
    return Picture.rgb(real.width(), real.height(), real.image(image).pixels());
  }

  /** What the safety checker did to a set: in all, and to the classes with a flagged picture; the rest was let pass. */
  List<SafetyRow> safety(RunConfig.SetConfig set, SafetySummary summary, ImageSet images) {
    List<String> labels = set.plan().classes().labels();
    int[] trained = images.classCounts();
    var rows = new ArrayList<SafetyRow>();
    rows.add(row(set, "all classes", summary.total(), images.count()));
    for (int i = 0; i < labels.size(); i++) {
      SafetyCounts counts = summary.classes().get(labels.get(i));
      if (counts.flagged() > 0) {
        rows.add(row(set, labels.get(i), counts, trained[i]));
      }
    }
    return rows;
  }

  private static SafetyRow row(RunConfig.SetConfig set, String scope, SafetyCounts counts, int trained) {
    return new SafetyRow(
        set.name(), scope, counts.checked(), counts.flagged(), counts.kept(), counts.dropped(), counts.redone(), trained);
  }

  ReportData data(
      List<Experiment> experiments, List<Stage> stages, List<Sample> samples, List<SafetyRow> safety) {
    NativeInfo info = NativeRuntime.info();
    return new ReportData(
        config.title(),
        config.recipe().architecture(),
        real.name(),
        experiments,
        samples,
        safety,
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

  /** One picture of each class and trick. */
  List<Sample> samples(RunConfig.SetConfig set, SyntheticStore store) {
    List<String> labels = set.plan().classes().labels();
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
