// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.BatchNormMode;
import dev.motley.config.Tree;
import dev.motley.config.Yaml;
import dev.motley.dataset.ImageSet;
import dev.motley.dataset.RealData;
import dev.motley.dataset.TrainingSet;
import dev.motley.evaluate.ClassNames;
import dev.motley.evaluate.Evaluator;
import dev.motley.ffi.NativeResources;
import dev.motley.image.Resize;
import dev.motley.results.Spread;
import dev.motley.results.TableText;
import dev.motley.results.Testing;
import dev.motley.results.Trained;
import dev.motley.results.TrainingData;
import dev.motley.run.TrainingSeries;
import dev.motley.run.TrainingSeries.Member;
import dev.motley.train.EpochMetrics;
import dev.motley.train.Recipe;
import dev.motley.train.Training;
import dev.motley.train.Transfer;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code motley train}. */
@Command(
    name = "train",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    description = "Trains a classifier from scratch on synthetic stores, real images or both; run again, it goes on where it stopped.",
    footer = {"", "Example: ./motley train --data runs/clothes --recipe quick --epochs 20 --out runs/clothes-resnet50"})
final class TrainCommand implements Callable<Integer> {
  private final Context context;

  @Spec private CommandSpec spec;

  @Mixin private DataOptions data;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Folder for model, metrics, checkpoint and recipe. Required but for --print-recipe.")
  private Optional<Path> out = Optional.empty();

  @Option(
      names = "--from",
      paramLabel = "MODEL",
      description = "Begin with a classifier's weights; its head stays if classes agree.")
  private Optional<Path> from = Optional.empty();

  @Option(names = "--head-only", description = "Train only the last layer of --from.")
  private boolean headOnly;

  @Option(
      names = "--recipe",
      paramLabel = "quick|paper|repo|FILE",
      defaultValue = "quick",
      description = {
        "quick: short, for small sets; paper: the paper's; repo: what its published code does; or a YAML file, such as",
        "a training's recipe.yaml. Decides the other defaults, by architecture and data set. Default: ${DEFAULT-VALUE}."
      })
  private String recipe;

  @Option(names = "--print-recipe", description = "Print the recipe in full, as YAML, and do nothing else.")
  private boolean printRecipe;

  @Option(
      names = "--dataset",
      paramLabel = "NAME",
      completionCandidates = Datasets.class,
      description = "Whose values paper and repo take: ${COMPLETION-CANDIDATES}. Default: the one that has the data's classes.")
  private Optional<String> dataset = Optional.empty();

  @Option(
      names = "--architecture",
      paramLabel = "NAME",
      completionCandidates = Architectures.class,
      description = "One of ${COMPLETION-CANDIDATES}. Default: resnet50.")
  private Optional<String> architecture = Optional.empty();

  @Option(
      names = "--stem",
      paramLabel = "imagenet|cifar",
      description = "How a ResNet begins: 7x7 and pooling, or 3x3 alone for small images. Default: imagenet.")
  private Optional<String> stem = Optional.empty();

  @Option(
      names = "--epochs",
      paramLabel = "N",
      converter = Numbers.Positive.class,
      description = "Passes over the data. Default: 20, paper 200, repo 50.")
  private Optional<Integer> epochs = Optional.empty();

  @Option(
      names = "--batch",
      paramLabel = "N",
      converter = Numbers.Positive.class,
      description = "Images per step. Default: 128, repo 64.")
  private Optional<Integer> batch = Optional.empty();

  @Option(
      names = "--learning-rate",
      paramLabel = "X",
      converter = Numbers.LearningRate.class,
      description = "At its highest; cosine to 0. Default: 0.001, paper 0.0002, repo 0.0001.")
  private Optional<Double> learningRate = Optional.empty();

  @Option(
      names = "--weight-decay",
      paramLabel = "X",
      converter = Numbers.Decay.class,
      description = "AdamW's decoupled decay. Default: 0.05, paper 0.9 (EuroSAT 0.3, MobileNetV3 0.1), repo 0.9.")
  private Optional<Double> weightDecay = Optional.empty();

  @Option(
      names = "--crop-scale",
      paramLabel = "X",
      converter = Numbers.Share.class,
      description = "Smallest share of the area that a random crop covers. Default: 0.35, paper and repo 0.08.")
  private Optional<Double> cropScale = Optional.empty();

  @Option(
      names = "--held-out",
      paramLabel = "N",
      converter = Numbers.Count.class,
      description = "Images, drawn by the seed, not trained on. Default: 0, repo 10000.")
  private Optional<Integer> heldOut = Optional.empty();

  @Option(
      names = "--warmup-epochs",
      paramLabel = "N",
      converter = Numbers.Count.class,
      description = "Epochs in which the learning rate rises, before the cosine. Default: 0.")
  private Optional<Integer> warmupEpochs = Optional.empty();

  @Option(
      names = "--label-smoothing",
      paramLabel = "X",
      converter = Numbers.Smoothing.class,
      description = "Share of the target spread over all classes. Default: 0.")
  private Optional<Double> labelSmoothing = Optional.empty();

  @Option(
      names = "--mixup",
      paramLabel = "ALPHA",
      converter = Numbers.Mixup.class,
      description = "Mix images by a share from Beta(ALPHA, ALPHA). Default: 0, not.")
  private Optional<Double> mixup = Optional.empty();

  @Option(
      names = "--ema",
      paramLabel = "DECAY",
      converter = Numbers.Ema.class,
      description = "Save and test a moving average, such as 0.999. Default: 0, not.")
  private Optional<Double> ema = Optional.empty();

  @Option(
      names = "--clip-norm",
      paramLabel = "X",
      converter = Numbers.ClipNorm.class,
      description = "Largest norm of all gradients together. Default: 0, any.")
  private Optional<Double> clipNorm = Optional.empty();

  @Option(
      names = "--randaugment",
      paramLabel = "N,M",
      converter = RandAugment.Converter.class,
      description = "Put each image through N operations of magnitude M of 30, such as 2,9. Default: 0,9, none.")
  private Optional<RandAugment> randAugment = Optional.empty();

  @Option(names = "--precision", paramLabel = "fp32|bf16", description = "What the network computes in. Default: fp32.")
  private Optional<String> precision = Optional.empty();

  @Option(names = "--seed", paramLabel = "N", converter = Numbers.Seed.class, description = "Of weights, order and augmentation. Default: 0.")
  private Optional<Long> seed = Optional.empty();

  @Option(
      names = "--seeds",
      paramLabel = "N|LIST",
      converter = Seeds.Converter.class,
      description = "Train so many times, with seeds from --seed on, or with those listed (0,1,2), each in a folder seed-N of --out.")
  private Optional<Seeds> seeds = Optional.empty();

  @Option(
      names = "--real",
      paramLabel = "DATA",
      description = "Test on these real images at the end, as 'evaluate' does, and leave the result beside the model.")
  private Optional<String> real = Optional.empty();

  @Option(
      names = "--checkpoint-seconds",
      paramLabel = "S",
      defaultValue = "" + Training.DEFAULT_CHECKPOINT_SECONDS,
      converter = Numbers.Count.class,
      description = "Most work that a kill -9 may cost; 0: one step. Ctrl-C costs none. Default: ${DEFAULT-VALUE}.")
  private int checkpointSeconds;

  TrainCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() {
    if (printRecipe && data.isEmpty()) {
      String named = dataset.orElse("cifar10");
      return print(recipe(named, named.equals("eurosat") ? 64 : 32)); // the paper's sizes
    }
    if (data.isEmpty() || out.isEmpty() && !printRecipe) {
      throw new ParameterException(
          spec.commandLine(), "Missing required option: '%s'".formatted(data.isEmpty() ? "--data=DATA" : "--out=DIR"));
    }
    try (var open = new NativeResources()) {
      return call(data.load(), open);
    }
  }

  private int call(TrainingSet set, NativeResources open) {
    context.err().print(DataOptions.summary(set));
    context.err().flush();
    ImageSet images = open.add(set.images());
    Recipe resolved = recipe(Recipe.datasetOf(images.classNames()), images.width());
    if (printRecipe) {
      return print(resolved);
    }
    Path folder = out.orElseThrow();
    var series =
        new TrainingSeries(
            images,
            TrainingData.of(set),
            resolved,
            transfer(),
            Duration.ofSeconds(checkpointSeconds),
            real.map(source -> new Testing(open.add(testSet(source, resolved, images)), Evaluator.DEFAULT_BATCH)));
    if (seeds.isPresent()) {
      List<Member> members = context.work(listener -> series.run(seeds.get().from(seed), folder, listener));
      members.forEach(member -> print("seed " + member.seed() + ": ", member, set));
      List<Trained> tested = members.stream().flatMap(member -> member.tested().stream()).toList();
      if (!tested.isEmpty()) {
        context.out().println("all seeds: percent right, mean ± standard deviation, number of seeds (95 % confidence interval)");
        spread(context.out(), tested);
      }
    } else {
      print("", context.work(listener -> series.run(resolved.seed(), folder, listener)), set);
    }
    context.out().flush();
    return 0;
  }

  private Optional<Transfer> transfer() {
    if (headOnly && from.isEmpty()) {
      throw new ParameterException(spec.commandLine(), "--head-only needs --from: the weights of the rest");
    }
    return from.map(model -> new Transfer(model, headOnly));
  }

  /** The test set first: if it does not fit, nothing has been trained in vain. */
  private static ImageSet testSet(String source, Recipe recipe, ImageSet images) {
    RealData data =
        RealData.open(source, new RealData.Options(RealData.Split.TEST, recipe.imageSize(), Resize.Filter.BILINEAR_AA));
    return ClassNames.inOrderOf(
        images.name() + " has", images.classNames(), data.images(), source, "--real must hold images of the classes in --data");
  }

  private void print(String name, Member member, TrainingSet set) {
    EpochMetrics last = member.result().epochs().getLast();
    context
        .out()
        .printf(
            "%s%s: %d %s on %,d images%s, last loss %.3f, last training accuracy %.1f %%%n",
            name,
            member.result().model(),
            member.result().epochs().size(),
            member.result().epochs().size() == 1 ? "epoch" : "epochs",
            set.images().count(),
            DataOptions.leftOut(set.leftOut()),
            last.loss(),
            100 * last.accuracy());
    member
        .tested()
        .ifPresent(
            trained -> {
              EvaluateCommand.line(context.out(), "  running statistics", trained.evaluation().running());
              EvaluateCommand.line(context.out(), "  batch statistics", trained.evaluation().batchStatistics());
            });
  }

  /** What trainings of several seeds have in common. */
  static void spread(PrintWriter out, List<Trained> tested) {
    for (BatchNormMode mode : List.of(BatchNormMode.RUNNING, BatchNormMode.BATCH)) { // the two that an evaluation has
      Spread spread = Spread.of(tested.stream().map(one -> one.accuracy(mode)).toList());
      out.printf("  %-20s %s%n", TableText.statistics(mode), TableText.accuracy(spread));
    }
  }

  private int print(Recipe resolved) {
    context.out().print(Yaml.write(resolved.toTree()));
    context.out().flush();
    return 0;
  }

  /** In full, for data of this name and size where the options and the file name no other. */
  private Recipe recipe(String ofData, int imageSize) {
    return Recipe.fromTree(Tree.of("recipe", tree(), Recipe.KEYS), ofData, imageSize);
  }

  private Map<String, Object> tree() {
    var tree = new LinkedHashMap<String, Object>();
    if (recipe.endsWith(".yaml") || recipe.endsWith(".yml")) {
      tree.putAll(Yaml.read(Path.of(recipe)));
    } else {
      tree.put("preset", recipe);
    }
    dataset.ifPresent(v -> tree.put("dataset", v));
    architecture.ifPresent(v -> tree.put("architecture", v));
    stem.ifPresent(v -> tree.put("stem", v));
    epochs.ifPresent(v -> tree.put("epochs", v));
    batch.ifPresent(v -> tree.put("batch", v));
    learningRate.ifPresent(v -> tree.put("learning-rate", v));
    weightDecay.ifPresent(v -> tree.put("weight-decay", v));
    cropScale.ifPresent(v -> tree.put("crop-scale-min", v));
    heldOut.ifPresent(v -> tree.put("held-out", v));
    warmupEpochs.ifPresent(v -> tree.put("warmup-epochs", v));
    labelSmoothing.ifPresent(v -> tree.put("label-smoothing", v));
    mixup.ifPresent(v -> tree.put("mixup", v));
    ema.ifPresent(v -> tree.put("ema", v));
    clipNorm.ifPresent(v -> tree.put("clip-norm", v));
    randAugment.ifPresent(
        v -> {
          tree.put("randaugment", v.ops());
          tree.put("randaugment-magnitude", v.magnitude());
        });
    precision.ifPresent(v -> tree.put("precision", v));
    seed.ifPresent(v -> tree.put("seed", v));
    return tree;
  }

  private static final class Datasets implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Recipe.DATASETS.iterator();
    }
  }
}
