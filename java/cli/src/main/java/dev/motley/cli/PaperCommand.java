// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.results.PaperNumbers;
import dev.motley.results.TableText;
import dev.motley.run.Paper;
import dev.motley.run.PaperScale;
import dev.motley.run.RunConfig;
import dev.motley.train.Recipe;
import dev.motley.tricks.DatasetPreset;
import dev.motley.tricks.Fidelity;
import dev.motley.tricks.GenerationPlan;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code motley paper}. */
@Command(
    name = "paper",
    mixinStandardHelpOptions = true,
    description = {
      "Reproduces the paper's Tables 2 and 3: draws its sets, trains its architectures, tests them, prints the tables.",
      "At any scale; run again, it goes on, also with more architectures or seeds. Images are drawn once for all sets."
    },
    footer = {"", "Example: ./motley paper --print"})
final class PaperCommand implements Callable<Integer> {
  private final Context context;

  @Option(names = "--out", paramLabel = "DIR", defaultValue = "runs/paper", description = "Folder for everything. Default: ${DEFAULT-VALUE}.")
  private Path out;

  @Option(names = "--print", description = "Print the sets, images and trainings, and do nothing else.")
  private boolean print;

  @Option(
      names = "--datasets",
      split = ",",
      paramLabel = "NAME",
      defaultValue = "cifar10,cifar100,eurosat",
      description = "Of the built-in class lists. Default: ${DEFAULT-VALUE}.")
  private List<String> datasets;

  @Option(
      names = "--real",
      split = ",",
      paramLabel = "NAME=DATA",
      description = "The real test images of each data set, as 'evaluate' takes them: cifar10=DIR,cifar100=DIR,eurosat=DIR.")
  private Map<String, String> real = Map.of();

  @Option(
      names = "--architectures",
      split = ",",
      paramLabel = "NAME",
      description = "Trained on the base class and the best tricks; all sets train resnet50, or else the first. Default: the paper's five.")
  private List<String> architectures = List.of();

  @Option(
      names = "--per-class",
      paramLabel = "N|SHARE",
      defaultValue = "1.0",
      description = "Images of each class and trick: a number, or a share of the paper's 5,000, 500 and 2,700, such as 0.01. Default: ${DEFAULT-VALUE}.")
  private String perClass;

  @Option(names = "--epochs", paramLabel = "N", converter = Numbers.Positive.class, description = "Passes over the data. Default: the recipe's.")
  private Optional<Integer> epochs = Optional.empty();

  @Option(
      names = "--seeds",
      paramLabel = "N|LIST",
      converter = Seeds.Converter.class,
      defaultValue = "1",
      description = "Of every training: so many from 0 on, or a list. Default: ${DEFAULT-VALUE}.")
  private Seeds seeds;

  @Option(
      names = "--preset",
      paramLabel = "paper|repo",
      defaultValue = "paper",
      description = "What the paper says, or what its published code does. Default: ${DEFAULT-VALUE}.")
  private String preset;

  @Option(names = "--recipe", paramLabel = "NAME", description = "Of the trainings, as in 'train'. Default: that of the preset.")
  private Optional<String> recipe = Optional.empty();

  @Option(
      names = "--size",
      paramLabel = "PIXELS",
      converter = Numbers.Positive.class,
      description = "Width and height of the drawn images. Default: the model's own.")
  private Optional<Integer> size = Optional.empty();

  @Option(
      names = "--stored-size",
      paramLabel = "PIXELS",
      converter = Numbers.Positive.class,
      description = "Width and height they are shrunk to. Default: that of the real images, 32 or 64, at most the drawn size.")
  private Optional<Integer> storedSize = Optional.empty();

  @Option(names = "--steps", paramLabel = "N", converter = Numbers.Positive.class, description = "DDIM steps. Default: 40.")
  private Optional<Integer> steps = Optional.empty();

  @Mixin private ModelOptions model;

  PaperCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() {
    steps.ifPresent(number -> model.requireSteps("--steps", number));
    datasets.forEach(DatasetPreset::named);
    Paper paper =
        new Paper(
            datasets,
            architectures.isEmpty() ? Paper.knownArchitectures() : architectures,
            PaperScale.named(perClass),
            recipe.orElse(preset),
            epochs,
            seeds.from(Optional.empty()),
            model.given().map(Path::toString).orElse(RunConfig.EMBEDDED),
            model.ema(),
            model.precision(),
            size,
            storedSize,
            steps,
            Fidelity.named(preset),
            real);
    if (architectures.isEmpty()) {
      tellWhatIsMissing();
    }
    if (print) {
      print(paper);
      return 0;
    }
    paper.datasets().stream()
        .filter(name -> !name.equals("fashion-mnist"))
        .findFirst()
        .ifPresent(name -> model.warn(GenerationPlan.of(paper.config(name, Home.embedded()).sets().getFirst().plan()), context.err()));
    Paper.Result result = context.work(listener -> paper.execute(Home.embedded(), out, listener));
    context.out().print(TableText.markdown(result.tables()));
    context.out().println("\nboth statistics, as a page: " + result.page());
    context.out().flush();
    return 0;
  }

  private void tellWhatIsMissing() {
    List<String> missing =
        PaperNumbers.read().architectures().stream().filter(name -> !Recipe.ARCHITECTURES.contains(name)).toList();
    if (!missing.isEmpty()) {
      context.err().println("motley: this version does not have the paper's " + String.join(", ", missing));
    }
  }

  private void print(Paper paper) {
    PrintWriter out = context.out();
    long images = 0;
    long trainings = 0;
    long passes = 0;
    for (String name : paper.datasets()) {
      RunConfig config = paper.config(name, Home.embedded());
      Map<RunConfig.SetConfig, Integer> toDraw = config.imagesToDraw();
      RunConfig.SetConfig first = config.sets().getFirst();
      int stored = config.recipes().getFirst().imageSize();
      out.printf(
          "%s: drawn at %dx%d with %d steps, learned from at %dx%d, %,d epochs%n",
          name, first.plan().width(), first.plan().height(), first.plan().sampling().steps(), stored, stored,
          config.recipes().getFirst().epochs());
      out.printf("  %-28s %-12s %9s %9s  %s%n", "set", "resize", "images", "to draw", "trainings");
      for (RunConfig.SetConfig set : config.sets()) {
        int size = GenerationPlan.of(set.plan()).size();
        out.printf(
            "  %-28s %-12s %,9d %,9d  %s%s%n",
            set.name(),
            config.storedSize() == 0 ? "none" : set.resize().id(),
            size,
            toDraw.get(set),
            String.join(", ", set.architectures()),
            config.seeds().size() == 1 ? "" : " x %d seeds".formatted(config.seeds().size()));
        images += toDraw.get(set);
        int ofSet = set.architectures().size() * config.seeds().size();
        trainings += ofSet;
        passes += (long) ofSet * size * config.recipes().getFirst().epochs();
      }
    }
    out.printf("in all: %,d images to draw, %,d trainings that see %,d images%n", images, trainings, passes);
    out.flush();
  }
}
