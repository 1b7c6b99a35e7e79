// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.CancelledException;
import dev.motley.InvalidInputException;
import dev.motley.Precision;
import dev.motley.Progress;
import dev.motley.ProgressListener;
import dev.motley.ResourceException;
import dev.motley.ffi.NativeRuntime;
import dev.motley.testing.Shared;
import dev.motley.weights.Ema;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DiffusionPipelineTest {
  private static final SamplingOptions FEW_STEPS = new SamplingOptions(32, 32, 4, false);

  private static DiffusionPipeline pipeline;
  private static long liveBefore;

  @BeforeAll
  static void load() {
    liveBefore = NativeRuntime.liveBytes();
    pipeline = DiffusionPipeline.load(Shared.repository().resolve("models/clothes"), Precision.FP32);
  }

  @AfterAll
  static void closeLeavesNothingBehind() {
    pipeline.close();
    assertThat(NativeRuntime.liveBytes()).isEqualTo(liveBefore);
  }

  private static List<ImageRequest> requests() {
    return List.of(
        ImageRequest.of("an image of a dress", 7.5, 1),
        ImageRequest.of("a sketch of a sneaker", 1, 2),
        new ImageRequest("bag", "photo", 3, 0.5f, NoiseGenerator.PHILOX, 3, 9),
        new ImageRequest("coat", "", 2, 0, NoiseGenerator.TORCH, 4, 0),
        new ImageRequest("shirt", "", 4, 1, NoiseGenerator.TORCH, 5, 0));
  }

  private static Pictures draw(List<ImageRequest> requests) {
    return pipeline.draw(requests, FEW_STEPS, ProgressListener.NONE);
  }

  @Test
  void aPictureDoesNotDependOnItsBatch() {
    Pictures together = draw(requests());
    assertThat(together.count()).isEqualTo(5);
    assertThat(together.quality()).containsOnly(Quality.GOOD);
    for (int i = 0; i < 5; i++) {
      assertThat(draw(List.of(requests().get(i))).picture(0)).isEqualTo(together.picture(i));
    }
    List<ImageRequest> reversed = requests().reversed();
    assertThat(draw(reversed).picture(0)).isEqualTo(together.picture(4));
  }

  /** Checked alone: what asks for more memory than there is ends by the system's hand, and perhaps other programs with it. */
  @Test
  void aPictureThatNoMachineCanHoldIsRefused() {
    assertThatThrownBy(() -> pipeline.check(new SamplingOptions(1 << 20, 1 << 20, 1, false)))
        .isInstanceOf(ResourceException.class)
        .hasMessageContaining("a picture of 1048576x1048576 pixels takes about 1335296.0 GiB of memory, ");
    pipeline.check(new SamplingOptions(512, 512, 1, false));
  }

  @Test
  void theEndsOfGuidanceAndEtaGiveGoodPictures() {
    var requests = new ArrayList<ImageRequest>();
    for (float guidance : new float[] {0, 1e-30f, 1, 30, ImageRequest.MAX_GUIDANCE}) {
      for (float eta : new float[] {0, ImageRequest.MAX_ETA}) {
        requests.add(new ImageRequest("an image of a dress", "", guidance, eta, NoiseGenerator.PHILOX, 1, 0));
      }
    }
    assertThat(draw(requests).quality()).containsOnly(Quality.GOOD);
  }

  @Test
  void everythingInARequestMatters() {
    byte[] base = draw(List.of(ImageRequest.of("dress", 3, 1))).picture(0);
    assertThat(draw(List.of(ImageRequest.of("dress", 3, 1))).picture(0)).isEqualTo(base);
    for (ImageRequest other :
        List.of(
            ImageRequest.of("coat", 3, 1),
            ImageRequest.of("dress", 4, 1),
            ImageRequest.of("dress", 3, 2),
            new ImageRequest("dress", "coat", 3, 0, NoiseGenerator.PHILOX, 1, 0),
            new ImageRequest("dress", "", 3, 1, NoiseGenerator.PHILOX, 1, 0),
            new ImageRequest("dress", "", 3, 0, NoiseGenerator.TORCH, 1, 0),
            new ImageRequest("dress", "", 3, 0, NoiseGenerator.PHILOX, 1, 1))) {
      assertThat(draw(List.of(other)).picture(0)).isNotEqualTo(base);
    }
  }

  @Test
  void otherSizesWork() {
    Pictures wide =
        pipeline.draw(requests(), new SamplingOptions(48, 16, 2, true), ProgressListener.NONE);
    assertThat(wide.width()).isEqualTo(48);
    assertThat(wide.height()).isEqualTo(16);
    assertThat(wide.pixels()).hasSize(5 * 48 * 16 * 3);
  }

  /** bf16 keeps 8 bits of a value, fp16 11: pictures move a little, the same way each time, and each alone as in its batch. */
  @ParameterizedTest
  @CsvSource({"BF16, 3", "FP16, 0.375"})
  void halfPrecisionDrawsTheSamePicturesAlmost(Precision precision, double most) {
    Pictures full = draw(requests());
    try (var half = DiffusionPipeline.load(Shared.repository().resolve("models/clothes"), precision)) {
      Pictures first = half.draw(requests(), FEW_STEPS, ProgressListener.NONE);
      assertThat(first.quality()).containsOnly(Quality.GOOD);
      assertThat(first.pixels()).isNotEqualTo(full.pixels());
      assertThat(meanDifference(first.pixels(), full.pixels())).isLessThan(most);
      assertThat(half.draw(requests(), FEW_STEPS, ProgressListener.NONE).pixels()).isEqualTo(first.pixels());
      assertThat(half.draw(List.of(requests().get(2)), FEW_STEPS, ProgressListener.NONE).picture(0))
          .isEqualTo(first.picture(2));
    }
  }

  /** In steps of 8-bit values. */
  private static double meanDifference(byte[] a, byte[] b) {
    long sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += Math.abs(Byte.toUnsignedInt(a[i]) - Byte.toUnsignedInt(b[i]));
    }
    return (double) sum / a.length;
  }

  @Test
  void badRequestsAreOneLineEach() {
    assertThatThrownBy(() -> draw(List.of())).isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(
            () -> pipeline.draw(requests(), new SamplingOptions(33, 32, 4, false), ProgressListener.NONE))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("width and height must be multiples of 4 pixels for this model, got 33x32");
    assertThatThrownBy(
            () -> pipeline.draw(requests(), new SamplingOptions(32, 32, 1000, false), ProgressListener.NONE))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("steps must be from 1 to 999, got 1000");
    assertThatThrownBy(() -> ImageRequest.of("dress", Double.NaN, 1)).hasMessageContaining("guidance");
    assertThatThrownBy(() -> ImageRequest.of("dress", -1, 1)).hasMessageContaining("guidance");
  }

  private static DiffusionPipeline load(ProgressListener listener) {
    Path model = Shared.repository().resolve("models/clothes");
    return DiffusionPipeline.load(model, Precision.FP32, Ema.AS_GIVEN, false, List.of(), listener);
  }

  @Test
  void aListenerHearsOfTheLoadingAndMayStopIt() {
    var heard = new ArrayList<Progress>();
    load(heard::add).close();
    assertThat(heard).extracting(Progress::stage).containsOnly("load");
    assertThat(heard).extracting(Progress::done).isSorted();
    assertThat(heard.getFirst().done()).isZero();
    assertThat(heard).extracting(Progress::detail).contains("text_encoder", "unet", "vae");
    assertThat(heard.getLast()).satisfies(last -> assertThat(last.done()).isEqualTo(last.total()));
    assertThat(heard).filteredOn(one -> one.done() == one.total()).hasSize(1);
    long live = NativeRuntime.liveBytes();
    // How often it hears is the threads' affair, which places it hears of is not.
    List<Predicate<Progress>> places =
        List.of(
            progress -> progress.done() == 0,
            progress -> progress.done() > 0,
            progress -> progress.detail().equals("vae"),
            progress -> progress.done() == progress.total());
    for (Predicate<Progress> stop : places) {
      var stopped = new AtomicInteger();
      assertThatThrownBy(() -> load(progress -> !stop.test(progress) || stopped.incrementAndGet() == 0))
          .isInstanceOf(CancelledException.class)
          .hasMessageMatching("stopped while loading .*clothes; nothing was written");
      assertThat(stopped).hasValue(1);
      assertThat(NativeRuntime.liveBytes()).isEqualTo(live);
    }
  }

  @Test
  void aListenerHearsEveryStepAndMayStop() {
    var heard = new ArrayList<Long>();
    assertThatThrownBy(
            () ->
                pipeline.draw(
                    requests(),
                    FEW_STEPS,
                    progress -> {
                      heard.add(progress.done());
                      return progress.done() < 2;
                    }))
        .isInstanceOf(CancelledException.class);
    assertThat(heard).containsExactly(1L, 2L);
    assertThatThrownBy(
            () ->
                pipeline.draw(
                    requests(),
                    FEW_STEPS,
                    _ -> {
                      throw new IllegalStateException("from the listener");
                    }))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("from the listener");
  }
}
