// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.Precision;
import dev.motley.dataset.ImageSet;
import dev.motley.dataset.RealData;
import dev.motley.evaluate.ClassNames;
import dev.motley.evaluate.Evaluation;
import dev.motley.evaluate.Evaluator;
import dev.motley.evaluate.Interval;
import dev.motley.evaluate.Scores;
import dev.motley.evaluate.Tally;
import dev.motley.image.Resize;
import dev.motley.results.Testing;
import dev.motley.results.TrainingRecord;
import dev.motley.train.Classifier;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code motley evaluate}. */
@Command(
    name = "evaluate",
    mixinStandardHelpOptions = true,
    description = {
      "Tests a trained classifier on real images, with running and with batch statistics.",
      "In fp32 the result is left beside the model as evaluation.json, for 'tables'."
    },
    footer = {"", "Example: ./motley evaluate --model runs/clothes-resnet50/model.safetensors"})
final class EvaluateCommand implements Callable<Integer> {
  private final Context context;

  @Option(names = "--model", required = true, paramLabel = "FILE", description = "model.safetensors of a training, or its folder.")
  private Path model;

  @Option(
      names = "--real",
      paramLabel = "DATA",
      description = {
        "Folder with IDX or CIFAR binary files (also .gz, .xz), WebDataset shards, or class folders of pictures (also a .zip or .tar.gz).",
        "DATA@test is a fifth of a set without parts of its own, always the same; DATA@train are the rest.",
        "IDX files take their class names from class_names.txt beside them, one a line.",
        "Default: the embedded Fashion-MNIST test set."
      })
  private Optional<String> real = Optional.empty();

  @Option(
      names = "--batch",
      paramLabel = "N",
      defaultValue = "" + Evaluator.DEFAULT_BATCH,
      converter = Numbers.Positive.class,
      description = "Images per pass; part of the result with batch statistics. Default: ${DEFAULT-VALUE}.")
  private int batch;

  @Option(
      names = "--precision",
      paramLabel = "fp32|bf16",
      defaultValue = "fp32",
      description = "What the network computes in. Default: ${DEFAULT-VALUE}.")
  private String precision;

  @Option(names = "--out", paramLabel = "FILE", description = "Write the whole result as JSON.")
  private Optional<Path> out = Optional.empty();

  EvaluateCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() {
    try (Classifier classifier = Classifier.load(model, Precision.named(precision))) {
      String source = real.orElseGet(() -> Home.realImages().toString());
      RealData data =
          RealData.open(
              source,
              new RealData.Options(RealData.Split.TEST, classifier.spec().pictureSize(), Resize.Filter.BILINEAR_AA));
      try (ImageSet images = ClassNames.inOrderOf(classifier.spec().classNames(), data.images(), source)) {
        long start = System.nanoTime();
        Evaluation evaluation =
            context.work(listener -> Evaluator.evaluate(classifier, images, batch, listener));
        double seconds = (System.nanoTime() - start) / 1e9;
        out.ifPresent(evaluation::write);
        print(context.out(), evaluation, data, source);
        if (Precision.named(precision) == Precision.FP32) {
          keep(images, evaluation, seconds);
        }
      }
    }
    return 0;
  }

  /** Beside the model of a training, where 'tables' finds it: as a run leaves it there, computed in fp32. */
  private void keep(ImageSet images, Evaluation evaluation, double seconds) {
    Path folder = Files.isDirectory(model) ? model : model.toAbsolutePath().getParent();
    boolean isItsModel = Files.isDirectory(model) || model.endsWith("model.safetensors");
    if (isItsModel && Files.exists(folder.resolve(TrainingRecord.FILE))) {
      new Testing(images, batch).keep(folder, TrainingRecord.read(folder), evaluation, seconds);
    }
  }

  private static void print(PrintWriter out, Evaluation evaluation, RealData data, String source) {
    out.printf("%,d real images of %s%n", evaluation.images(), source);
    if (data.unreadable() > 0) {
      out.printf("left out because they could not be read: %,d%n", data.unreadable());
    }
    line(out, "running statistics", evaluation.running());
    line(out, "batch statistics", evaluation.batchStatistics());
    out.printf("%n%-20s %8s %8s%n", "class", "running", "batch");
    List<Tally> running = evaluation.running().perClass();
    List<Tally> batches = evaluation.batchStatistics().perClass();
    for (int i = 0; i < running.size(); i++) {
      String name = evaluation.classes().get(i);
      if (running.get(i).images() == 0) {
        out.printf("%-20s %8s %8s%n", name, "-", "-");
      } else {
        out.printf("%-20s %6.1f %% %6.1f %%%n", name, 100 * running.get(i).accuracy(), 100 * batches.get(i).accuracy());
      }
    }
    out.flush();
  }

  static void line(PrintWriter out, String name, Scores scores) {
    Interval interval = scores.total().interval();
    out.printf(
        "%-20s %5.1f %% right (95 %% interval %.1f to %.1f)%n",
        name, 100 * scores.total().accuracy(), 100 * interval.low(), 100 * interval.high());
  }
}
