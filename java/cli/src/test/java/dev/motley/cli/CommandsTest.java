// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.motley.config.Tree;
import dev.motley.config.Yaml;
import dev.motley.image.Png;
import dev.motley.run.RunConfig;
import dev.motley.testing.Shared;
import dev.motley.train.Recipe;
import dev.motley.train.TrainingOptions;
import dev.motley.tricks.ClassList;
import dev.motley.tricks.DatasetPreset;
import dev.motley.tricks.Fidelity;
import dev.motley.tricks.PlanSpec;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.Model.OptionSpec;

class CommandsTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private final Cancellation cancellation = new Cancellation();

  @TempDir private Path folder;

  @BeforeAll
  static void findTheModels() {
    System.setProperty("motley.home", Shared.repository().toString());
  }

  private int motley(String... args) {
    var context =
        new Context(new PrintWriter(out, true), new PrintWriter(err, true), cancellation);
    return Main.commandLine(context).execute(args);
  }

  /** One line on stderr, no stack trace, the code of bad input. */
  private void refused(String line, String... args) {
    err.getBuffer().setLength(0);
    assertThat(motley(args)).isEqualTo(Exit.USAGE.code());
    assertThat(err.toString()).startsWith("motley: ").contains(line).doesNotContain("\tat ");
    assertThat(err.toString().lines().filter(l -> l.startsWith("motley: "))).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "demo", "plan", "generate", "train", "evaluate", "predict", "run", "tables", "paper", "sample", "again", "bench", "verify", "inspect", "convert", "import", "export", "info"
      })
  void everyCommandHasAShortPageWithAnExample(String command) {
    assertThat(motley(command, "--help")).isZero();
    assertThat(out.toString()).contains("Example: ./motley " + command);
    assertThat(out.toString().lines().count()).isLessThan(60);
    assertThat(out.toString().lines().dropWhile(line -> !line.startsWith("Example: ")).count())
        .as("an example that is wrapped cannot be pasted")
        .isEqualTo(Map.of("generate", 2L, "sample", 3L).getOrDefault(command, 1L));
  }

  @Test
  void badInputIsOneLineThatNamesIt() throws IOException {
    String store = folder.resolve("store").toString();
    refused("unknown class preset 'cifar11'; did you mean 'cifar10'", "plan", "--classes", "cifar11");
    refused("empty name", "plan", "--classes", "cat,,dog");
    refused("cat", "plan", "--classes", "cat,dog,cat");
    refused("unknown trick 'multi-domian'; did you mean 'multi-domain'", "plan", "--tricks", "multi-domian");
    refused("--classes is empty: expected a built-in list (cifar10,", "plan", "--classes", "");
    refused("--steps must be from 1 to 999 for this model, got 0", "plan", "--steps", "0");
    refused("--steps must be from 1 to 999 for this model, got 1000", "plan", "--steps", "1000");
    refused("--guidanc", "plan", "--guidanc", "3");
    refused("guidance", "sample", "--prompt", "x", "--guidance", "-3", "--out", store + ".png");
    refused("multiples of 4", "sample", "--prompt", "x", "--width", "18", "--out", store + ".png");
    refused("--steps must be from 1 to 999", "sample", "--prompt", "x", "--steps", "5000", "--out", store + ".png");
    refused("--out must name a .png", "sample", "--prompt", "x", "--out", store);
    Path taken = Files.createDirectory(folder.resolve("taken.png"));
    refused(taken + " is a folder", "sample", "--prompt", "x", "--out", taken.toString());
    refused("'--guidance': expected a number from 0 to 100", "generate", "--guidance", "500", "--out", store);
    refused("multiple of 8", "generate", "--size", "20", "--out", store);
    refused("--steps must be from 1 to 999", "generate", "--steps", "1000", "--out", store);
    refused("model_index.json", "generate", "--model", folder.toString(), "--out", store);
    refused("no synthetic store", "train", "--data", folder.toString(), "--out", store);
    refused("no such", "evaluate", "--model", folder.resolve("none.safetensors").toString());
    refused("no synthetic store", "verify", folder.toString());
    refused("no such file", "run", folder.resolve("none.yaml").toString(), "--out", store);
    Path config = folder.resolve("bad.yaml");
    Files.writeString(config, "sets:\n  - {name: a, plan: {classes: fashion-mnist, trics: base-class}}\n");
    refused(config + ": 'sets[0].plan': unknown key 'trics'; did you mean 'tricks'", "run", config.toString(), "--out", store);
    Files.writeString(config, "sets:\n  - {name: a, plan: {classes: [cat, dog], per-class: 1}}\n");
    refused(
        "the real set " + Home.realImages() + " has 10 classes [", "run", config.toString(), "--out", store);
    refused("the config's sets have 2 classes [cat, dog]", "run", config.toString(), "--out", store);
    Path plan = folder.resolve("plan.yaml");
    Files.writeString(plan, "classes: [cat, dog]\nsampling: {step: 3}\n");
    refused(plan + ": unknown key of 'sampling' 'step'", "plan", "--classes", plan.toString());
    Files.writeString(plan, "classes: [cat, dog]\n");
    refused("unknown trick 'trick'", "plan", "--classes", plan.toString(), "--tricks", "trick");
    assertThat(err.toString()).as("not the file's fault").doesNotContain("plan.yaml");
    Files.writeString(plan, "classes: [cat, dog]\nsampling: {steps: 1000}\n");
    refused("'sampling.steps' must be from 1 to 999 for this model, got 1000", "plan", "--classes", plan.toString());
    String set = "sets:\n  - {name: a, plan: {classes: fashion-mnist, per-class: 1, sampling: {steps: %d}}}\n";
    Files.writeString(config, set.formatted(1000));
    refused("steps must be from 1 to 999", "run", config.toString(), "--out", store);
    Files.writeString(config, "batch: 0\n" + set.formatted(2));
    refused("batch must be from 1 to 2048, got 0", "run", config.toString(), "--out", store);
    Files.writeString(config, "test-batch: 0\n" + set.formatted(2));
    refused("'test-batch' must be 1 or more, found 0", "run", config.toString(), "--out", store);
    Files.writeString(config, "recipe: {architecture: resnet5}\n" + set.formatted(2));
    refused("unknown architecture 'resnet5'", "run", config.toString(), "--out", store);
    Files.writeString(config, "sets: [\n");
    refused("bad.yaml, line", "run", config.toString(), "--out", store);
    assertThat(Path.of(store)).doesNotExist();
    assertThat(Path.of(store + ".png")).doesNotExist();
  }

  @Test
  void aTruncatedModelIsRefusedNamingTheFile() throws IOException {
    Path model = folder.resolve("model");
    Path original = Shared.repository().resolve("models/clothes");
    try (var files = Files.walk(original)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path copy = model.resolve(original.relativize(file).toString());
        Files.createDirectories(copy.getParent());
        Files.copy(file, copy);
      }
    }
    Path weights = model.resolve("vae/diffusion_pytorch_model.safetensors");
    byte[] bytes = Files.readAllBytes(weights);
    Files.write(weights, java.util.Arrays.copyOf(bytes, bytes.length - 100));
    refused("vae/diffusion_pytorch_model.safetensors", "generate", "--model", model.toString(), "--out", folder.resolve("s").toString());
    Path unet = model.resolve("unet/diffusion_pytorch_model.safetensors");
    Files.write(weights, bytes);
    Files.write(unet, replaced(Files.readAllBytes(unet), "conv_in.bias", "conv_in.bios"));
    refused(unet + ": unet: conv_in.bias is missing (expected (64))", "generate", "--model", model.toString(), "--out", folder.resolve("s").toString());
    assertThat(err.toString()).contains("conv_in.bios");
    Files.delete(weights);
    refused("vae", "generate", "--model", model.toString(), "--out", folder.resolve("s").toString());
  }

  /** The same bytes with the first such text turned into another of its length. */
  private static byte[] replaced(byte[] bytes, String text, String by) {
    String all = new String(bytes, StandardCharsets.ISO_8859_1);
    return all.replaceFirst(Pattern.quote(text), by).getBytes(StandardCharsets.ISO_8859_1);
  }

  @Test
  void thePlanIsShownBeforeAnythingRuns() {
    assertThat(motley("plan", "--classes", "cifar10", "--tricks", "all-combined", "--size", "512", "--list", "3")).isZero();
    assertThat(out.toString()).contains("200,000").contains("\"an image of a airplane\"").contains("bytes");
  }

  @Test
  void theRoadFromNamesToAReport() throws IOException {
    Path run = folder.resolve("run");
    Map<String, Object> small = DemoCommand.config(40, 1, 3).toTree();
    Path config = folder.resolve("small.yaml");
    Path real = NoisyImages.write(folder.resolve("fashion"));
    Files.writeString(
        config, Yaml.write(small).replace("steps: 40", "steps: 2").replace("real: embedded", "real: " + real));
    assertThat(motley("run", config.toString(), "--out", run.toString())).as(err.toString()).isZero();
    assertThat(out.toString()).contains("running statistics").contains("batch statistics").contains("report.html");
    assertThat(Files.readString(run.resolve("report.html"))).contains("All tricks combined");
    assertThat(motley("verify", run.resolve("base-class/images").toString())).isZero();

    Path again = folder.resolve("again");
    assertThat(motley("run", run.resolve("config.yaml").toString(), "--out", again.toString())).isZero();
    for (String set : new String[] {"base-class", "all-tricks-combined"}) {
      Path first = run.resolve(set).resolve("images/000000.tar");
      assertThat(Files.mismatch(first, again.resolve(set).resolve("images/000000.tar"))).isEqualTo(-1);
      assertThat(Files.mismatch(run.resolve(set + "/resnet50/seed-3/evaluation.json"), again.resolve(set + "/resnet50/seed-3/evaluation.json"))).isEqualTo(-1);
    }

    assertThat(motley("run", config.toString(), "--out", run.toString())).as("run again: all is there").isZero();

    err.getBuffer().setLength(0);
    String images = run.resolve("base-class/images").toString();
    String[] wild = {"--learning-rate", "10", "--weight-decay", "100", "--epochs", "100", "--batch", "20"};
    assertThat(
            motley(
                Stream.concat(
                        Stream.of("train", "--data", images, "--out", folder.resolve("wild").toString()),
                        Stream.of(wild))
                    .toArray(String[]::new)))
        .as("a training that diverges is no bad input")
        .isEqualTo(Exit.FAILURE.code());
    assertThat(err.toString().lines().filter(l -> l.startsWith("motley: training failed: "))).hasSize(1);

    Path model = run.resolve("base-class/resnet50/seed-3/model.safetensors");
    out.getBuffer().setLength(0);
    assertThat(motley("evaluate", "--model", model.toString(), "--real", real.toString())).as(err.toString()).isZero();
    assertThat(out.toString()).contains("real images of " + real + System.lineSeparator());
    thereAreTablesOf(run, real);
    refused(folder + "/none: no such data set", "evaluate", "--model", model.toString(), "--real", folder + "/none");
    out.getBuffer().setLength(0);
    assertThat(motley("predict", "--model", model.toString(), Shared.repository().resolve("models/clothes").toString())).isZero();
    assertThat(out.toString()).startsWith("samples.png\t");
    assertThat(err.toString()).contains("predict     1 image, in ");
    String ofAFolder = out.toString();
    out.getBuffer().setLength(0);
    Path picture = Shared.repository().resolve("models/clothes/samples.png");
    assertThat(motley("predict", "--model", model.toString(), picture.toString())).isZero();
    assertThat(out.toString()).as("one picture").isEqualTo(ofAFolder);
    refused("nowhere: no such folder or picture", "predict", "--model", model.toString(), "nowhere");
    refused("holds the run of another config", "run", config(folder).toString(), "--out", run.toString());
  }

  private void thereAreTablesOf(Path run, Path real) throws IOException {
    Path html = folder.resolve("tables.html");
    out.getBuffer().setLength(0);
    assertThat(motley("tables", run.toString(), "--html", html.toString())).as(err.toString()).isZero();
    assertThat(out.toString())
        .contains("## Tricks on fashion-mnist, resnet50 (running statistics)")
        .containsPattern("\\| Base class \\| [0-9.]+, n 1; base \\|")
        .containsPattern("\\| All combined, as many images as the base class \\| [0-9.]+, n 1; [+-][0-9.]+ \\|");
    assertThat(Files.readString(html)).contains("batch statistics", "running statistics");
    Path csv = folder.resolve("tables.csv");
    assertThat(motley("tables", run.toString(), "--format", "csv", "--statistics", "batch", "--out", csv.toString())).isZero();
    assertThat(Files.readString(csv)).contains("table-2-fashion-mnist,Base class,fashion-mnist,batch statistics,run,40,1,");
    refused("no finished training in " + real, "tables", real.toString());
    refused("none: no such folder", "tables", folder.resolve("none").toString());
  }

  @Test
  void severalSeedsGiveAnInterval() throws IOException {
    Path store = folder.resolve("store");
    assertThat(motley("generate", "--per-class", "2", "--steps", "1", "--out", store.toString())).as(err.toString()).isZero();
    Path real = NoisyImages.write(folder.resolve("fashion"));
    Path trainings = folder.resolve("trainings");
    String[] train = {"train", "--data", store.toString(), "--epochs", "1", "--architecture", "resnet20", "--seeds", "4,7", "--out", trainings.toString()};
    out.getBuffer().setLength(0);
    assertThat(motley(train)).as(err.toString()).isZero();
    assertThat(out.toString()).startsWith("seed 4: " + trainings.resolve("seed-4/model.safetensors")).doesNotContain("all seeds");
    out.getBuffer().setLength(0);
    assertThat(motley("evaluate", "--model", trainings.resolve("seed-4").toString(), "--real", real.toString())).as(err.toString()).isZero();
    err.getBuffer().setLength(0);
    assertThat(motley("tables", trainings.toString())).isZero();
    assertThat(out.toString()).contains("n 1; base");
    assertThat(err.toString()).contains("left out, not tested yet: ./motley evaluate --model " + trainings.resolve("seed-7"));
    out.getBuffer().setLength(0);
    assertThat(motley(Stream.concat(Stream.of(train), Stream.of("--real", real.toString())).toArray(String[]::new))).isZero();
    assertThat(out.toString()).containsPattern("running statistics +[0-9.]+ ± [0-9.]+, n 2 \\(");
    assertThat(out.toString().lines().filter(line -> line.matches(" +batch statistics +[0-9.]+ ± [0-9.]+, n 2 .*"))).hasSize(1);
    refused("trainings/seed-4 holds a training of another recipe", Stream.concat(Stream.of(train), Stream.of("--batch", "7")).toArray(String[]::new));
    refused("seed 1 is listed twice", "train", "--data", store.toString(), "--seeds", "1,1", "--out", trainings.toString());
    refused("expected a number of seeds from 1 to 100", "train", "--data", store.toString(), "--seeds", "0", "--out", trainings.toString());
    Path other = Files.createDirectories(folder.resolve("pets/cat"));
    Files.copy(Shared.repository().resolve("models/clothes/samples.png"), other.resolve("0.png"));
    refused("1 classes [cat]", "train", "--data", store.toString(), "--real", other.getParent().toString(), "--out", folder.resolve("new").toString());
    assertThat(folder.resolve("new")).doesNotExist();
  }

  @Test
  void theEmbeddedModelSaysWhatItCannotDraw() {
    assertThat(motley("plan", "--classes", "t-shirt,dog", "--per-class", "1")).isZero();
    assertThat(err.toString()).contains("draws clothes only, not 'dog'");
    err.getBuffer().setLength(0);
    assertThat(motley("plan", "--classes", "fashion-mnist", "--per-class", "1")).isZero();
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void aPlanTellsTheTimeOnlyWhereARateIsKnown() {
    String[] plan = {"plan", "--per-class", "25", "--steps", "80"};
    assertThat(motley(plan)).isZero();
    assertThat(out.toString()).containsPattern("(?m)^time +about 50 s \\(0 h 00 min\\) at 10\\.0 images of 40 steps per second$");
    String other = Home.model().toString();
    assertThat(motley("plan", "--per-class", "25", "--model", other, "--precision", "bf16")).isZero();
    assertThat(out.toString())
        .containsPattern("(?m)^time +unknown$")
        .contains("measure by: ./motley bench --model " + other + " --precision bf16 --size 32x32; then give --rate");
    assertThat(motley("plan", "--per-class", "25", "--size", "64")).isZero();
    assertThat(out.toString()).containsPattern("(?m)^time +unknown$").contains("./motley bench --precision fp32 --size 64x64;");
    out.getBuffer().setLength(0);
    assertThat(motley("plan", "--per-class", "25", "--size", "64", "--rate", "0.5")).isZero();
    assertThat(out.toString()).contains("about 500 s").doesNotContain("unknown");
  }

  private static Path config(Path folder) throws IOException {
    Path other = folder.resolve("other.yaml");
    Files.writeString(other, Yaml.write(DemoCommand.config(80, 1, 3).toTree()));
    return other;
  }

  private static void helpSays(String command, String option, Object value) {
    var nowhere = new PrintWriter(new StringWriter());
    var commands = Main.commandLine(new Context(nowhere, nowhere, new Cancellation()));
    OptionSpec spec = commands.getSubcommands().get(command).getCommandSpec().findOption(option);
    assertThat(String.join(" ", spec.description())).as(command + " " + option).endsWith("Default: " + value + ".");
  }

  /** Where the default is the plan's or the recipe's, the help can only repeat it. */
  @Test
  void theHelpSaysTheLibrarysDefaults() {
    PlanSpec plan = PlanSpec.of(DatasetPreset.named("fashion-mnist"), Fidelity.PAPER);
    for (String command : new String[] {"plan", "generate"}) {
      helpSays(command, "--preset", plan.fidelity().id());
      helpSays(command, "--guidance", plan.guidance().fixed());
      helpSays(command, "--steps", plan.sampling().steps());
      helpSays(command, "--seed", plan.sampling().seed());
      helpSays(command, "--rng", plan.sampling().source().id());
    }
    Recipe recipe = Recipe.quick(32);
    helpSays("train", "--architecture", recipe.architecture());
    helpSays("train", "--batch", recipe.batch() + ", repo " + Recipe.repo("resnet50", "cifar10", 32).batch());
    helpSays("train", "--stem", recipe.stem().id());
    helpSays("train", "--precision", recipe.precision().id());
    helpSays("train", "--seed", recipe.seed());
    Recipe paper = Recipe.paper("resnet50", "cifar10", 32);
    Recipe satellite = Recipe.paper("resnet50", "eurosat", 64);
    Recipe repo = Recipe.repo("resnet50", "cifar10", 32);
    helpSays("train", "--epochs", "%d, paper %d, repo %d".formatted(recipe.epochs(), paper.epochs(), repo.epochs()));
    helpSays("train", "--held-out", recipe.heldOut() + ", repo " + repo.heldOut());
    helpSays("train", "--warmup-epochs", TrainingOptions.OFF.warmupEpochs());
    helpSays("train", "--label-smoothing", decimal(TrainingOptions.OFF.labelSmoothing()));
    helpSays("train", "--randaugment", TrainingOptions.OFF.randAugment() + "," + TrainingOptions.OFF.randAugmentMagnitude() + ", none");
    helpSays("train", "--mixup", decimal(TrainingOptions.OFF.mixup()) + ", not");
    helpSays("train", "--ema", decimal(TrainingOptions.OFF.ema()) + ", not");
    helpSays("train", "--clip-norm", decimal(TrainingOptions.OFF.clipNorm()) + ", any");
    helpSays(
        "train",
        "--learning-rate",
        "%s, paper %s, repo %s".formatted(recipe.learningRate(), decimal(paper.learningRate()), decimal(repo.learningRate())));
    helpSays(
        "train",
        "--weight-decay",
        "%s, paper %s (EuroSAT %s, MobileNetV3 0.1), repo %s"
            .formatted(recipe.weightDecay(), paper.weightDecay(), satellite.weightDecay(), repo.weightDecay()));
    helpSays("train", "--crop-scale", recipe.augmentation().scaleMin() + ", paper and repo " + paper.augmentation().scaleMin());
  }

  @Test
  void aRecipeIsPrintedInFullAndNothingElseIsDone() throws IOException {
    for (String[] one : new String[][] {{"paper", "cifar100", "0.9", "0"}, {"paper", "eurosat", "0.3", "0"}, {"repo", "eurosat", "0.9", "224"}}) {
      out.getBuffer().setLength(0);
      assertThat(motley("train", "--recipe", one[0], "--dataset", one[1], "--seed", "5", "--print-recipe")).isZero();
      Path file = folder.resolve("recipe.yaml");
      Files.writeString(file, out.toString());
      Recipe printed = Recipe.fromTree(Tree.of("recipe", Yaml.read(file), Recipe.KEYS), "other", 1);
      assertThat(printed).isEqualTo(Recipe.named(one[0], "resnet50", one[1], one[1].equals("eurosat") ? 64 : 32).withSeed(5));
      assertThat(out.toString().lines().toList())
          .startsWith("preset: " + one[0], "dataset: " + one[1])
          .contains("weight-decay: " + one[2], "crop: " + one[3]);
      String first = out.toString();
      out.getBuffer().setLength(0);
      assertThat(motley("train", "--recipe", file.toString(), "--print-recipe")).isZero();
      assertThat(out).as("a recipe's file is a recipe").hasToString(first);
    }
    out.getBuffer().setLength(0);
    assertThat(motley("train", "--recipe", "paper", "--randaugment", "2,12", "--print-recipe")).isZero();
    assertThat(out.toString().lines()).contains("randaugment: 2", "randaugment-magnitude: 12");
    refused("expected operations and magnitude, such as 2,9, got '2'", "train", "--randaugment", "2", "--print-recipe");
    refused("unknown recipe 'papr'; did you mean 'paper'?", "train", "--recipe", "papr", "--print-recipe");
    assertThat(motley("train", "--out", folder.resolve("none").toString())).isEqualTo(Exit.USAGE.code());
    assertThat(err.toString()).contains("motley: Missing required option: '--data=DATA'");
  }

  private static String decimal(double value) {
    return BigDecimal.valueOf(value).stripTrailingZeros().toPlainString();
  }

  @Test
  void theHelpSaysHowManyImagesEachListHas() {
    assertThat(motley("plan", "--help")).isZero();
    String help = out.toString().replaceAll("\\s+", " ");
    for (String name : ClassList.presets()) {
      assertThat(help).containsPattern("\\b%s %,d\\b".formatted(name, DatasetPreset.named(name).perClass()));
    }
    PlanSpec own = PlanSpec.of(ClassList.of("own", List.of("cat", "dog")), Fidelity.PAPER);
    assertThat(help).contains("own names %,d.".formatted(own.mix().totalPerClass()));
  }

  @Test
  void aSampleSaysWhatItWasDrawnWith() throws IOException {
    for (String precision : new String[] {"fp32", "bf16", "fp16"}) {
      Path picture = folder.resolve(precision + ".png");
      assertThat(
              motley("sample", "--prompt", "a dress", "--steps", "2", "--precision", precision, "--out", picture.toString()))
          .as(err.toString())
          .isZero();
      byte[] png = Files.readAllBytes(picture);
      assertThat(Png.texts("picture", png)).containsEntry("precision", precision).containsEntry("guidance", "7.5");
      assertThat(Png.decode("picture", png).width()).isEqualTo(32);
    }
    assertThat(Png.decode("bf16", Files.readAllBytes(folder.resolve("bf16.png"))).pixels())
        .isNotEqualTo(Png.decode("fp32", Files.readAllBytes(folder.resolve("fp32.png"))).pixels());
  }

  @Test
  void aStopWhileTheModelIsLoadedSaysSo() {
    cancellation.request();
    String store = folder.resolve("stopped").toString();
    assertThat(motley("generate", "--per-class", "2", "--steps", "2", "--out", store)).isEqualTo(Exit.CANCELLED.code());
    assertThat(err.toString()).contains("stopped while loading " + Home.model() + "; nothing was written");
    assertThat(Path.of(store)).doesNotExist();
  }

  @Test
  void aResolvedConfigIsReadBackEqual() {
    RunConfig config = DemoCommand.config(1000, 20, 0);
    assertThat(RunConfig.of(config.toTree(), Home.embedded())).isEqualTo(config);
    assertThat(config.recipes().getFirst().imageSize()).isEqualTo(32);
    assertThat(config.sets().get(1).plan().mix().totalPerClass()).isEqualTo(100);
  }
}
