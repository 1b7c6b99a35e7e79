// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.BatchNormMode;
import dev.motley.CancelledException;
import dev.motley.InvalidInputException;
import dev.motley.Normalisation;
import dev.motley.Precision;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The handles of classifier, images and trainer, on a fresh ResNet50. */
class NativeTrainingTest {

  private static final int CLASSES = 10;
  private static final int SIZE = 32;
  private static final int IMAGES = 10;
  private static final Normalisation HALF = Normalisation.uniform(0.5f, 0.5f);

  private long liveBefore;
  private NativeClassifier classifier;
  private NativeImages images;

  @BeforeEach
  void open() {
    liveBefore = NativeRuntime.liveBytes();
    classifier = classifier(1);
    byte[] pixels = new byte[IMAGES * SIZE * SIZE * 3];
    new Random(1).nextBytes(pixels);
    int[] labels = new int[IMAGES];
    for (int i = 0; i < IMAGES; i++) {
      labels[i] = i % CLASSES;
    }
    images = NativeImages.create(SIZE, SIZE, PackedPixels.of(pixels), labels);
  }

  @AfterEach
  void close() {
    classifier.close();
    images.close();
    assertThat(NativeRuntime.liveBytes()).as("bytes that no handle owns").isEqualTo(liveBefore);
  }

  @Test
  void listsTorchvisionsTensors() {
    List<TensorInfo> tensors = classifier.tensors();
    // 53 convolutions, 53 BatchNorms of two parameters and three buffers, one linear layer.
    assertThat(tensors).hasSize(53 + 5 * 53 + 2);
    assertThat(tensors.stream().filter(TensorInfo::trainable)).hasSize(161);
    assertThat(tensors.getFirst().name()).isEqualTo("conv1.weight");
    TensorInfo last = tensors.get(160);
    assertThat(last.name()).isEqualTo("fc.bias");
    assertThat(last.shape()).containsExactly((long) CLASSES);
    assertThat(classifier.read(160)).hasSize(CLASSES);
    assertThatThrownBy(() -> classifier.read(tensors.size()))
        .isInstanceOf(InvalidInputException.class);
  }

  @Test
  void theSeedDecidesTheWeights() {
    try (var same = classifier(1);
        var other = classifier(2)) {
      assertThat(same.read(0)).isEqualTo(classifier.read(0));
      assertThat(other.read(0)).isNotEqualTo(classifier.read(0));
    }
  }

  @Test
  void evaluatesInBatchesAndHearsEach() {
    List<String> heard = new ArrayList<>();
    float[] logits =
        classifier.evaluate(
            images,
            1,
            8,
            4,
            BatchNormMode.RUNNING, 0,
            HALF,
            (done, total, value, value2) -> heard.add(done + "/" + total));
    assertThat(logits).hasSize(8 * CLASSES).doesNotContain(Float.NaN);
    assertThat(heard).hasSize(2);
    float[] again =
        classifier.evaluate(images, 1, 8, 8, BatchNormMode.RUNNING, 0, HALF, Progress.NONE);
    assertThat(again).as("an image's logits do not depend on its batch").isEqualTo(logits);
  }

  @Test
  void evaluationCanBeCancelled() {
    assertThatThrownBy(
            () ->
                classifier.evaluate(
                    images, 0, 8, 4, BatchNormMode.BATCH, 0, HALF, (done, total, v, v2) -> false))
        .isInstanceOf(CancelledException.class);
  }

  @Test
  void whatTheListenerThrowsAtTheEndOfAnEvaluationComesBack() {
    var own = new IllegalStateException("the listener's own");
    assertThatThrownBy(
            () ->
                classifier.evaluate(
                    images, 0, 8, 8, BatchNormMode.RUNNING, 0, HALF,
                    (done, total, v, v2) -> {
                      throw own;
                    }))
        .isSameAs(own);
  }

  @Test
  void refusesImagesThatAreNotThere() {
    assertThatThrownBy(
            () ->
                classifier.evaluate(
                    images, 4, 7, 4, BatchNormMode.RUNNING, 0, HALF, Progress.NONE))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("number of images is 7, expected 1 to 6");
    assertThatThrownBy(() -> NativeImages.create(SIZE, SIZE, PackedPixels.of(new byte[5]), new int[1]))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("pixels has 5 elements, expected (1, 32, 32, 3) = 3072");
    assertThatThrownBy(() -> classifier.forward(new float[5], BatchNormMode.RUNNING))
        .isInstanceOf(InvalidInputException.class);
  }

  @Test
  void whatTheListenerThrowsComesBack() {
    var own = new CancelledException("the listener's own");
    try (var trainer = NativeTrainer.create(classifier, config())) {
      assertThatThrownBy(
              () ->
                  trainer.run(
                      images, 0, 0, 99, 1e-3,
                      (done, total, v, v2) -> {
                        throw own;
                      }))
          .isSameAs(own);
      assertThat(trainer.steps()).isEqualTo(1);
    }
  }

  @Test
  void trainsAnEpochAndSaysHow() {
    try (var trainer = NativeTrainer.create(classifier, config())) {
      float[] before = classifier.read(0);
      List<Long> heard = new ArrayList<>();
      NativeTrainer.Outcome outcome =
          trainer.run(images, 0, 0, 99, 1e-3, (done, total, v, v2) -> heard.add(done));
      assertThat(outcome.done()).isEqualTo(3);
      assertThat(outcome.cancelled()).isFalse();
      assertThat(outcome.lossSum()).isPositive();
      assertThat(outcome.correct()).isBetween(0L, (long) IMAGES);
      assertThat(heard).containsExactly(1L, 2L, 3L);
      assertThat(trainer.steps()).isEqualTo(3);
      assertThat(classifier.read(0)).isNotEqualTo(before);
    }
  }

  @Test
  void aCancelledRunSaysHowFarItCame() {
    try (var trainer = NativeTrainer.create(classifier, config())) {
      NativeTrainer.Outcome outcome =
          trainer.run(images, 0, 0, 3, 1e-3, (done, total, v, v2) -> done < 2);
      assertThat(outcome.cancelled()).isTrue();
      assertThat(outcome.done()).isEqualTo(2);
      assertThat(trainer.steps()).isEqualTo(2);
    }
  }

  @Test
  void whatProgressThrowsComesThrough() {
    var thrown = new IllegalStateException("from the progress");
    try (var trainer = NativeTrainer.create(classifier, config())) {
      assertThatThrownBy(
              () ->
                  trainer.run(
                      images,
                      0,
                      0,
                      3,
                      1e-3,
                      (done, total, v, v2) -> {
                        throw thrown;
                      }))
          .isSameAs(thrown);
    }
  }

  @Test
  void stateGoesOutAndIn() {
    try (var trainer = NativeTrainer.create(classifier, config())) {
      NativeTrainer.Batch batch = trainer.preview(images, 0, 0, 4);
      assertThat(batch.labels()).hasSize(4);
      NativeTrainer.Step step = trainer.gradients(batch.inputs(), batch.labels());
      assertThat(step.loss()).isPositive();
      assertThat(step.logits()).hasSize(4 * CLASSES);
      assertThat(trainer.steps()).isZero();
      assertThat(trainer.read(160, NativeTrainer.State.GRADIENT)).hasSize(CLASSES);
      float[] moment = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
      trainer.write(160, NativeTrainer.State.EXP_AVG, moment);
      assertThat(trainer.read(160, NativeTrainer.State.EXP_AVG)).isEqualTo(moment);
      trainer.setSteps(17);
      assertThat(trainer.steps()).isEqualTo(17);
      assertThatThrownBy(() -> trainer.read(161, NativeTrainer.State.EXP_AVG))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageEndingWith("is not trained, it has no optimizer state");
      assertThatThrownBy(() -> trainer.write(160, NativeTrainer.State.EXP_AVG, new float[9]))
          .isInstanceOf(InvalidInputException.class)
          .hasMessage("fc.bias EXP_AVG has 9 elements, expected (10) = 10");
    }
  }

  @Test
  void aClassifierClosesItsTrainer() {
    NativeTrainer trainer = NativeTrainer.create(classifier, config());
    classifier.close();
    assertThatThrownBy(trainer::steps)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("NativeTrainer is closed");
    assertThatCode(trainer::close).doesNotThrowAnyException();
  }

  private float[] logits(NativeImages of, int first) {
    return classifier.evaluate(of, first, 4, 4, BatchNormMode.RUNNING, 0, HALF, Progress.NONE);
  }

  @Test
  void pixelsCloseWhatReadsThem() {
    PackedPixels pixels = PackedPixels.of(new byte[4 * SIZE * SIZE * 3]);
    NativeImages one = NativeImages.create(SIZE, SIZE, pixels, new int[4]);
    NativeImages other = NativeImages.create(SIZE, SIZE, pixels, new int[4]);
    one.close();
    assertThat(logits(other, 0)).as("the pixels are not its own").hasSize(4 * CLASSES);
    Progress closing =
        (done, total, v, v2) -> {
          pixels.close();
          return true;
        };
    assertThatThrownBy(() -> classifier.evaluate(other, 0, 4, 4, BatchNormMode.RUNNING, 0, HALF, closing))
        .as("in the middle of a call that reads them")
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("NativeImages cannot be used from its own progress callback");
    pixels.close();
    assertThatThrownBy(() -> logits(other, 0)).isInstanceOf(IllegalStateException.class).hasMessage("NativeImages is closed");
    other.close();
  }

  /** Nothing but the images knows their pixels. */
  @Test
  void pixelsStayWhileImagesAreReadFromThem() {
    float[] before = logits(images, 3);
    for (int i = 0; i < 3; i++) {
      System.gc();
      PackedPixels.of(new byte[IMAGES * SIZE * SIZE * 3]).close(); // takes the place of what was freed
    }
    assertThat(logits(images, 3)).isEqualTo(before);
  }

  /** All but the last few are holes in a file, which take no room. */
  @Test
  void aSetMayBeMoreThanAnArrayHolds(@TempDir Path folder) {
    int bytes = 3 * SIZE * SIZE;
    int many = (int) ((1L << 31) / bytes) + 1000;
    var last = new byte[4 * bytes];
    new Random(2).nextBytes(last);
    try (var writer = new PixelWriter("large", PixelStorage.mapped(folder), (long) many * bytes)) {
      writer.put((long) (many - 4) * bytes, last);
      try (PackedPixels pixels = writer.finish();
          PackedPixels few = PackedPixels.of(last);
          NativeTrainer trainer = NativeTrainer.create(classifier, config())) {
        NativeImages large = NativeImages.create(SIZE, SIZE, pixels, new int[many]);
        assertThat(logits(large, many - 4)).isEqualTo(logits(NativeImages.create(SIZE, SIZE, few, new int[4]), 0));
        assertThat(trainer.run(large, 0, many / 4 - 3, 2, 1e-3, Progress.NONE).done()).isEqualTo(2);
      }
    }
  }

  @Test
  void threadsTakeTurns() throws InterruptedException {
    List<Throwable> failures = new ArrayList<>();
    Runnable work =
        () -> classifier.evaluate(images, 0, 4, 4, BatchNormMode.RUNNING, 0, HALF, Progress.NONE);
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      threads.add(Thread.ofPlatform().uncaughtExceptionHandler((t, e) -> failures.add(e)).start(work));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(failures).isEmpty();
  }

  private static NativeClassifier classifier(long seed) {
    return NativeClassifier.create(
        new ClassifierConfig("resnet50", CLASSES, SIZE, Precision.FP32, seed));
  }

  private static TrainerConfig config() {
    return new TrainerConfig(
        4, false, false, 0.9, 0.999, 1e-8, 0.05, 0, 0.35, 1, 0.75, 4.0 / 3, 0.5, 0, 0, 0, 0, 0, 0, 0, 9, HALF, 1);
  }
}
