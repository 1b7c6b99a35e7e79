// SPDX-License-Identifier: Apache-2.0
package dev.motley.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.motley.BatchNormMode;
import dev.motley.CancelledException;
import dev.motley.InvalidInputException;
import dev.motley.NotFiniteException;
import dev.motley.Precision;
import dev.motley.ProgressListener;
import dev.motley.config.Tree;
import dev.motley.config.Yaml;
import dev.motley.dataset.ImageSet;
import dev.motley.ffi.ClassifierConfig;
import dev.motley.ffi.NativeClassifier;
import dev.motley.ffi.PixelStorage;
import dev.motley.ffi.PixelWriter;
import dev.motley.weights.SafeTensors;
import dev.motley.weights.SafeTensorsWriter;
import dev.motley.weights.TensorView;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TrainingTest {
  private static final Recipe RECIPE = small(2, 0);

  @TempDir private Path folder;

  private static Recipe small(int epochs, long seed) {
    return Recipe.quick(32).with(Map.of("epochs", epochs, "batch", 8, "seed", seed));
  }

  /** Twenty images of two classes, one dark and one light. */
  private static ImageSet images() {
    var random = new Random(5);
    byte[] pixels = new byte[20 * 32 * 32 * 3];
    int[] labels = new int[20];
    for (int i = 0; i < 20; i++) {
      labels[i] = i % 2;
      for (int p = 0; p < 32 * 32 * 3; p++) {
        pixels[i * 32 * 32 * 3 + p] = (byte) (40 + 150 * labels[i] + random.nextInt(40));
      }
    }
    return new ImageSet("two shades", 32, 32, pixels, labels, List.of("dark", "light"));
  }

  /** The same pixels in a mapped file, in other places of memory, and read as they are needed. */
  @Test
  void aSetInAFileTrainsToTheSameWeights() throws IOException {
    Path scratch = Files.createDirectory(folder.resolve("scratch"));
    try (ImageSet inMemory = images();
        ImageSet inFile = mapped(inMemory, scratch)) {
      assertThat(inFile.pixels().isMapped()).isTrue();
      Path expected = Training.run(inMemory, RECIPE, folder.resolve("memory"), Duration.ofHours(1), ProgressListener.NONE).model();
      assertThat(Training.run(inFile, RECIPE, folder.resolve("file"), Duration.ofHours(1), ProgressListener.NONE).model())
          .hasSameBinaryContentAs(expected);
      assertThatThrownBy(
              () -> Training.run(inMemory, RECIPE, folder.resolve("both"), Duration.ofHours(1), progress -> progress.done() < 2))
          .isInstanceOf(CancelledException.class);
      assertThat(Training.run(inFile, RECIPE, folder.resolve("both"), Duration.ofHours(1), ProgressListener.NONE).model())
          .as("begun on the one, ended on the other")
          .hasSameBinaryContentAs(expected);
      assertThat(logits(expected, inFile)).isEqualTo(logits(expected, inMemory));
    }
  }

  private static ImageSet mapped(ImageSet set, Path scratch) {
    var bytes = new byte[(int) set.pixels().size()];
    set.pixels().read(0, bytes);
    try (var writer = new PixelWriter(set.name(), PixelStorage.mapped(scratch), bytes.length)) {
      writer.put(0, bytes);
      return new ImageSet(set.name(), set.height(), set.width(), writer.finish(), set.labels(), set.classNames());
    }
  }

  private static float[] logits(Path model, ImageSet set) {
    try (Classifier classifier = Classifier.load(model, Precision.FP32)) {
      return classifier.logits(set, 8, BatchNormMode.RUNNING, ProgressListener.NONE);
    }
  }

  private TrainingResult train(String name, Recipe recipe, Duration every, ProgressListener listener) {
    return Training.run(images(), recipe, folder.resolve(name), every, listener);
  }

  @Test
  void itLearnsAndLeavesAModelThatIsReadBack() {
    TrainingResult result = train("run", small(6, 0), Duration.ofHours(1), ProgressListener.NONE);
    assertThat(result.epochs()).hasSize(6);
    assertThat(result.epochs().getLast().loss()).isLessThan(result.epochs().getFirst().loss());
    assertThat(result.epochs().get(3).learningRate()).isCloseTo(5e-4, within(1e-12));
    try (Classifier classifier = Classifier.load(folder.resolve("run"), Precision.FP32)) {
      assertThat(classifier.spec().classNames()).containsExactly("dark", "light");
      float[] logits = classifier.logits(images(), 20, BatchNormMode.BATCH, ProgressListener.NONE);
      long right = IntStream.range(0, 20).filter(i -> logits[2 * i] > logits[2 * i + 1] == (i % 2 == 0)).count();
      assertThat(right).as("of 20; by guessing, 17 or more come once in 800 times").isGreaterThanOrEqualTo(17);
    }
    try (SafeTensors tensors = SafeTensors.open(result.model())) {
      assertThat(tensors.tensor("layer4.2.conv3.weight").shape()).containsExactly(2048, 512, 1, 1);
      assertThat(tensors.tensor("bn1.num_batches_tracked").toLongs()).containsExactly(18);
    }
  }

  @Test
  void aModelWithoutFiniteWeightsIsRefusedByName() {
    Path file = folder.resolve("broken.safetensors");
    try (Classifier classifier = Classifier.create(RECIPE, List.of("a", "b"))) {
      classifier.save(file);
    }
    try (SafeTensors tensors = SafeTensors.open(file)) {
      var broken = new ArrayList<TensorView>(tensors.tensors().values());
      broken.removeIf(t -> t.name().equals("fc.bias"));
      broken.add(TensorView.ofFloats("fc.bias", new long[] {2}, 0, Float.NaN));
      SafeTensorsWriter.write(folder.resolve("nan.safetensors"), broken, tensors.metadata());
    }
    assertThatThrownBy(() -> Classifier.load(folder.resolve("nan.safetensors"), Precision.FP32))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(
            folder.resolve("nan.safetensors")
                + ": tensor \"fc.bias\" holds NaN or infinity: the training diverged, or the file is damaged");
  }

  @Test
  void theRecipeIsLeftBesideTheModelInFull() {
    train("kept", RECIPE, Duration.ofHours(1), ProgressListener.NONE);
    Map<String, Object> yaml = Yaml.read(folder.resolve("kept/recipe.yaml"));
    assertThat(Recipe.fromTree(Tree.of("recipe", yaml, Recipe.KEYS), "cifar10", 1)).isEqualTo(RECIPE);
  }

  /** Seven of the twenty held out: two batches of an epoch, not three. */
  @Test
  void imagesThatAreHeldOutAreNotTrainedOn() {
    Recipe recipe = small(1, 0).with(Map.of("held-out", 7));
    TrainingResult result = train("held", recipe, Duration.ofHours(1), ProgressListener.NONE);
    EpochMetrics epoch = result.epochs().getFirst();
    assertThat(epoch.imagesPerSecond() * epoch.seconds()).isCloseTo(13, within(1e-6));
    try (SafeTensors tensors = SafeTensors.open(result.model())) {
      assertThat(tensors.tensor("bn1.num_batches_tracked").toLongs()).containsExactly(2);
    }
    Recipe none = small(1, 0).with(Map.of("held-out", 20));
    assertThatThrownBy(() -> train("none", none, Duration.ofHours(1), ProgressListener.NONE))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("two shades has 20 images, of which the recipe holds out 20: choose a smaller held-out, or 0");
    assertThat(folder.resolve("none")).doesNotExist();
  }

  /** The published code's way with EuroSAT, in small: 32 pixels become 48, of which the network sees 40. */
  @Test
  void aRecipeThatResizesAndCropsIsTestedAsItWasTrained() {
    Recipe recipe =
        small(1, 0).with(Map.of("crop-scale-min", 1, "rotation", 90, "resize", 48, "crop", 40, "normalisation", "unit", "test-in-training", true));
    TrainingResult result = train("satellite", recipe, Duration.ofHours(1), ProgressListener.NONE);
    try (Classifier classifier = Classifier.load(result.model(), Precision.FP32)) {
      assertThat(classifier.spec().imageSize()).isEqualTo(40);
      assertThat(classifier.spec().pictureSize()).isEqualTo(32);
      assertThat(classifier.spec().resize()).isEqualTo(48);
      assertThat(classifier.spec().testInTraining()).isTrue();
      float[] logits = classifier.logits(images(), 20, BatchNormMode.RUNNING, ProgressListener.NONE);
      assertThat(logits).hasSize(40).doesNotContain(Float.NaN);
    }
  }

  @Test
  void aStoppedTrainingGoesOnToTheSameBits() throws IOException {
    TrainingResult whole = train("whole", RECIPE, Duration.ofHours(1), ProgressListener.NONE);
    for (int stopAt : new int[] {1, 3, 4}) { // in the first epoch, at its end, in the second
      String name = "stopped" + stopAt;
      assertThatThrownBy(() -> train(name, RECIPE, Duration.ofHours(1), p -> p.done() < stopAt))
          .isInstanceOf(CancelledException.class);
      TrainingResult rest = train(name, RECIPE, Duration.ZERO, ProgressListener.NONE);
      assertThat(Files.mismatch(rest.model(), whole.model())).isEqualTo(-1);
      assertThat(rest.epochs()).extracting(EpochMetrics::loss)
          .isEqualTo(whole.epochs().stream().map(EpochMetrics::loss).toList());
      assertThat(folder.resolve(name).resolve("checkpoint.safetensors")).doesNotExist();
    }
    assertThat(train("whole", RECIPE, Duration.ZERO, ProgressListener.NONE).epochs()).hasSize(2);
  }

  /** Everything a recipe may add, in one training: stopped in the first epoch and at its end. */
  @Test
  void aTrainingWithEveryOptionGoesOnToTheSameBits() throws IOException {
    Recipe all =
        RECIPE
            .with(Map.of(
                "warmup-epochs", 1, "label-smoothing", 0.1, "mixup", 0.4, "ema", 0.8, "clip-norm", 0.5, "held-out", 1,
                "crop-scale-min", 1, "rotation", 30, "resize", 36, "crop", 33))
            .with(Map.of("randaugment", 2));
    TrainingResult whole = train("all", all, Duration.ofHours(1), ProgressListener.NONE);
    for (int stopAt : new int[] {1, 3}) {
      String name = "all stopped" + stopAt;
      assertThatThrownBy(() -> train(name, all, Duration.ofHours(1), p -> p.done() < stopAt))
          .isInstanceOf(CancelledException.class);
      TrainingResult rest = train(name, all, Duration.ZERO, ProgressListener.NONE);
      assertThat(Files.mismatch(rest.model(), whole.model())).isEqualTo(-1);
      assertThat(rest.epochs()).extracting(EpochMetrics::loss)
          .isEqualTo(whole.epochs().stream().map(EpochMetrics::loss).toList());
    }
  }

  /** What is dropped depends on the step, not on how often the training was stopped. */
  @ParameterizedTest
  @CsvSource({"mobilenet_v3_small, 0.2", "vit_s, 0.1"})
  void aTrainingWithDropoutGoesOnToTheSameBits(String architecture, double rate) throws IOException {
    Recipe recipe = small(1, 0).with(Map.of("architecture", architecture, "batch", 10, "dropout", rate)); // two steps
    TrainingResult whole = train("whole", recipe, Duration.ofHours(1), ProgressListener.NONE);
    assertThatThrownBy(() -> train("stopped", recipe, Duration.ofHours(1), p -> p.done() < 1)).isInstanceOf(CancelledException.class);
    TrainingResult rest = train("stopped", recipe, Duration.ofHours(1), ProgressListener.NONE);
    assertThat(rest.model()).hasSameBinaryContentAs(whole.model());
    assertThat(train("none", recipe.with(Map.of("dropout", 0)), Duration.ofHours(1), ProgressListener.NONE).epochs().getFirst().loss())
        .as("something was dropped")
        .isNotEqualTo(whole.epochs().getFirst().loss());
  }

  /** A rate of the recipe takes the place of the published one; the published one given is the same as none given. */
  @Test
  void theRatesOfDropoutAreTheRecipes() {
    var weights = new ArrayList<float[]>();
    for (Object rate : List.of("published", 0.2, 0.0)) { // of MobileNetV3: 0.2
      Recipe recipe = RECIPE.with(Map.of("architecture", "mobilenet_v3_small", "dropout", rate));
      try (SafeTensors tensors = SafeTensors.open(train("dropout " + rate, recipe, Duration.ofHours(1), ProgressListener.NONE).model())) {
        weights.add(tensors.tensor("classifier.3.weight").toFloats());
      }
    }
    assertThat(weights.get(1)).isEqualTo(weights.get(0));
    assertThat(weights.get(2)).isNotEqualTo(weights.get(0));
    assertThatThrownBy(() -> train("none", RECIPE.with(Map.of("dropout", 0.2)), Duration.ofHours(1), ProgressListener.NONE))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("resnet50 has no dropout");
    assertThat(folder.resolve("none")).doesNotExist();
  }

  /** With a decay of 0.5 after two steps, the average lies half-way between the weights of the first and the second. */
  @Test
  void theAverageOfTheWeightsIsWhatIsSaved() {
    Recipe plain = small(2, 0).with(Map.of("batch", 20));
    var weights = new ArrayList<float[]>();
    var means = new ArrayList<float[]>();
    for (String name : List.of("averaged", "plain", "first")) {
      Recipe recipe = name.equals("averaged") ? plain.with(Map.of("ema", 0.5)) : plain;
      if (name.equals("first")) {
        assertThatThrownBy(() -> train(name, recipe, Duration.ofHours(1), p -> p.done() < 1)).isInstanceOf(CancelledException.class);
      } else {
        train(name, recipe, Duration.ofHours(1), ProgressListener.NONE);
      }
      Path file = folder.resolve(name).resolve(name.equals("first") ? "checkpoint.safetensors" : "model.safetensors");
      try (SafeTensors tensors = SafeTensors.open(file)) {
        weights.add(tensors.tensor("fc.weight").toFloats());
        means.add(tensors.tensor("bn1.running_mean").toFloats());
        assertThat(tensors.tensor("bn1.num_batches_tracked").toLongs()).as(name).containsExactly(name.equals("first") ? 1 : 2);
      }
    }
    assertThat(means.get(0)).as("buffers as they are").isEqualTo(means.get(1)).isNotEqualTo(means.get(2));
    float[] averaged = weights.get(0);
    double moved = 0;
    for (int i = 0; i < averaged.length; i++) {
      assertThat(averaged[i]).isCloseTo((weights.get(1)[i] + weights.get(2)[i]) / 2, within(1e-7f));
      moved = Math.max(moved, Math.abs(averaged[i] - weights.get(1)[i]));
    }
    assertThat(moved).isGreaterThan(1e-5);
  }

  @Test
  void theModelOfAnUnfinishedTrainingIsNotJustMissing() {
    assertThatThrownBy(() -> train("half", RECIPE, Duration.ofHours(1), p -> p.done() < 1)).isInstanceOf(CancelledException.class);
    Path half = folder.resolve("half");
    Path model = half.resolve("model.safetensors");
    for (Path given : List.of(half, model)) {
      assertThatThrownBy(() -> Classifier.load(given, Precision.FP32))
          .isInstanceOf(InvalidInputException.class)
          .hasMessage(model + " is not there yet: the training in half has not ended; give its command again to go on");
    }
    assertThatThrownBy(() -> Classifier.load(half.resolve("modle.safetensors"), Precision.FP32))
        .hasMessage(half.resolve("modle.safetensors") + ": no such file");
  }

  @Test
  void theSeedDecides() throws IOException {
    TrainingResult a = train("a", small(1, 1), Duration.ofHours(1), ProgressListener.NONE);
    TrainingResult b = train("b", small(1, 1), Duration.ofHours(1), ProgressListener.NONE);
    TrainingResult c = train("c", small(1, 2), Duration.ofHours(1), ProgressListener.NONE);
    assertThat(Files.mismatch(a.model(), b.model())).isEqualTo(-1);
    assertThat(Files.mismatch(a.model(), c.model())).isNotEqualTo(-1);
  }

  /** One step, so that the loss is that of the first weights: further ones part ways on images as alike as these. */
  @Test
  void halfPrecisionLearnsAlmostTheSame() throws IOException {
    Recipe one = small(1, 1).with(Map.of("batch", 20));
    TrainingResult full = train("full", one, Duration.ofHours(1), ProgressListener.NONE);
    Recipe half = one.withPrecision(Precision.BF16);
    TrainingResult first = train("half", half, Duration.ofHours(1), ProgressListener.NONE);
    TrainingResult second = train("half again", half, Duration.ofHours(1), ProgressListener.NONE);
    assertThat(Files.mismatch(first.model(), second.model())).as("deterministic").isEqualTo(-1);
    assertThat(Files.mismatch(first.model(), full.model())).isNotEqualTo(-1);
    double loss = full.epochs().getFirst().loss();
    assertThat(first.epochs().getFirst().loss()).isCloseTo(loss, withinPercentage(25));
    try (Classifier a = Classifier.load(full.model(), Precision.FP32);
        Classifier b = Classifier.load(full.model(), Precision.BF16)) {
      // Not batch statistics: of images as alike as these they magnify every rounding.
      float[] exact = a.logits(images(), 20, BatchNormMode.RUNNING, ProgressListener.NONE);
      float[] close = b.logits(images(), 20, BatchNormMode.RUNNING, ProgressListener.NONE);
      assertThat(close).isNotEqualTo(exact);
      assertThat(b.logits(images(), 20, BatchNormMode.RUNNING, ProgressListener.NONE)).isEqualTo(close);
      assertThat(distance(close, exact)).isLessThan(0.1 * distance(exact, new float[exact.length]));
    }
  }

  /** Euclidean. */
  private static double distance(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (a[i] - b[i]) * (double) (a[i] - b[i]);
    }
    return Math.sqrt(sum);
  }

  @Test
  void aFolderOfAnotherTrainingIsRefused() {
    train("taken", small(1, 1), Duration.ofHours(1), ProgressListener.NONE);
    assertThatThrownBy(() -> train("taken", small(1, 2), Duration.ofHours(1), ProgressListener.NONE))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("holds a training of another recipe or data set");
  }

  @Test
  void oneTrainingAtATimeInAFolder() {
    assertThatThrownBy(
            () ->
                train(
                    "one",
                    small(1, 1),
                    Duration.ofHours(1),
                    progress -> {
                      train("one", small(1, 1), Duration.ofHours(1), ProgressListener.NONE);
                      return true;
                    }))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageEndingWith("one is being written by another process; wait for it or stop it");
    assertThat(train("one", small(1, 1), Duration.ofHours(1), ProgressListener.NONE).epochs())
        .as("the lock goes with its training")
        .hasSize(1);
  }

  @Test
  void aLossThatIsNotFiniteIsAFailureAndNoBadInput() {
    Recipe wild = // each step multiplies the weights by 1 - 10 * 100
        small(100, 0).with(Map.of("learning-rate", 10, "weight-decay", 100));
    assertThatThrownBy(() -> train("wild", wild, Duration.ofHours(1), ProgressListener.NONE))
        .isExactlyInstanceOf(NotFiniteException.class)
        .hasNoCause()
        .hasMessageMatching("training failed: epoch \\d+, step \\d: the loss is not finite .*may help");
    assertThat(folder.resolve("wild/model.safetensors")).doesNotExist();

    Recipe everything = wild.with(Map.of("ema", 0.9, "mixup", 0.2, "clip-norm", 1, "label-smoothing", 0.1));
    assertThatThrownBy(() -> train("wilder", everything, Duration.ZERO, ProgressListener.NONE))
        .isExactlyInstanceOf(NotFiniteException.class)
        .hasMessageMatching("training failed: (before )?epoch \\d+, step \\d.* not finite.*may help");
    try (SafeTensors kept = SafeTensors.open(folder.resolve("wilder/checkpoint.safetensors"))) {
      assertThat(kept.tensors().values()).isNotEmpty().allMatch(TensorView::isFinite);
    }
    assertThatThrownBy(() -> train("wilder", everything, Duration.ZERO, ProgressListener.NONE))
        .as("it goes on from there")
        .isExactlyInstanceOf(NotFiniteException.class);
  }

  @Test
  void noModelIsMadeOfWeightsThatAreNotFinite() {
    Recipe wild = small(1, 0).with(Map.of("architecture", "resnet20", "batch", 5, "learning-rate", 10, "weight-decay", 100));
    assertThatThrownBy(() -> train("wild", wild, Duration.ofHours(1), ProgressListener.NONE))
        .as("the losses of its four steps are of the weights before them")
        .isExactlyInstanceOf(NotFiniteException.class)
        .hasMessageMatching("training failed: before epoch 1, step 0, both counted from 0: \\S+ is not finite; .*may help");
    assertThat(folder.resolve("wild/model.safetensors")).doesNotExist();
    assertThat(folder.resolve("wild/.model.safetensors.tmp")).doesNotExist();
  }

  @Test
  void aBatchOfOneImageIsRefusedBeforeAnythingIsMade() {
    Recipe uneven = small(1, 0).with(Map.of("batch", 19));
    assertThatThrownBy(() -> train("uneven", uneven, Duration.ofHours(1), ProgressListener.NONE))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith("20 images in batches of 19 leave a batch of one image");
    assertThat(folder.resolve("uneven")).doesNotExist();
  }

  private TrainingResult train(int size, int batch, int count, String name) {
    byte[] pixels = new byte[count * size * size * 3];
    new Random(6).nextBytes(pixels);
    int[] labels = new int[count];
    labels[1] = 1;
    var images = new ImageSet(name, size, size, pixels, labels, List.of("a", "b"));
    Recipe recipe = small(1, 0).with(Map.of("image-size", size, "batch", batch));
    return Training.run(images, recipe, folder.resolve(name), Duration.ofHours(1), ProgressListener.NONE);
  }

  @Test
  void batchesOfOneImageTrainWhereTheLastMapHasMoreThanOnePixel() {
    assertThatThrownBy(() -> train(32, 1, 2, "ones"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith("2 images in batches of 1 leave a batch of one image");
    assertThat(folder.resolve("ones")).doesNotExist();
    assertThat(train(33, 1, 2, "ones").epochs()).hasSize(1);
    assertThat(train(33, 2, 3, "last").epochs()).hasSize(1);
  }

  @Test
  void imagesOfAnotherSizeAndUnknownNetworksAreRefused() {
    assertThatThrownBy(
            () ->
                Training.run(
                    images(), Recipe.quick(64), folder, Duration.ofHours(1), ProgressListener.NONE))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("two shades has images of 32x32 pixels, the recipe says 64x64");
    assertThatThrownBy(() -> small(1, 0).with(Map.of("architecture", "resnet5")))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith("unknown architecture 'resnet5'; did you mean 'resnet50'");
  }

  @Test
  void aClassifierInFp16IsRefused() {
    var half = new ClassifierConfig("resnet50", 2, 32, Precision.FP16, 0);
    assertThatThrownBy(() -> NativeClassifier.create(half))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("precision fp16 is for diffusion models: classifiers compute in fp32 or bf16");
  }

  @Test
  void theArchitecturesAreThoseOfTheCore() {
    var unknown = new ClassifierConfig("none", 2, 32, Precision.FP32, 0);
    assertThatThrownBy(() -> NativeClassifier.create(unknown))
        .hasMessageEndingWith("expected one of " + String.join(", ", Recipe.ARCHITECTURES));
  }
}
