// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.motley.CancelledException;
import dev.motley.InvalidInputException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The handles of the diffusion models, on the small checkpoint. */
class NativeSamplingTest {

  private static final int STEPS = 4;
  private static final int ELEMENTS = SmallModel.CHANNELS * SmallModel.SIZE * SmallModel.SIZE;

  private static long liveBefore;
  private static SmallModel model;
  private static NativeTextEncoder text;
  private static NativeUNet unet;
  private static NativeVae vae;
  private static NativePrompts prompts;
  private static float[] context;

  @BeforeAll
  static void open() {
    liveBefore = NativeRuntime.liveBytes();
    model = new SmallModel();
    text = model.text();
    unet = model.unet();
    vae = model.vae();
    context = model.twoPrompts(text);
    prompts = unet.prompts(text.config().positions(), context);
  }

  @AfterAll
  static void close() {
    text.close();
    unet.close();
    vae.close();
    model.close();
    assertThat(NativeRuntime.liveBytes()).as("bytes that no handle owns").isEqualTo(liveBefore);
  }

  @Test
  void encodesPrompts() {
    assertThat(context).hasSize(2 * text.config().positions() * text.config().width());
    assertThat(context).doesNotContain(Float.NaN);
    assertThatThrownBy(() -> text.encode(new int[3]))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith("token ids has 3 elements, expected a multiple of");
    int[] outside = new int[text.config().positions()];
    outside[5] = text.config().vocabulary();
    assertThatThrownBy(() -> text.encode(outside)).isInstanceOf(InvalidInputException.class);
  }

  @Test
  void anImageDoesNotDependOnItsBatch() {
    float[] both = sample(request(new float[] {7.5f, 3}, 11, 12), Progress.NONE);
    float[] first = sample(request(new float[] {7.5f}, 11), Progress.NONE);
    float[] second = sample(request(new float[] {3}, 12), Progress.NONE);
    assertThat(both).hasSize(2 * ELEMENTS);
    assertThat(Arrays.copyOf(both, ELEMENTS)).isEqualTo(first);
    assertThat(Arrays.copyOfRange(both, ELEMENTS, 2 * ELEMENTS)).isEqualTo(second);
    assertThat(first).isNotEqualTo(second);
  }

  @Test
  void aProfileCountsTheLayersOfEachStepAndChangesNothing() {
    SampleRequest request = request(new float[] {7.5f, 3}, 11, 12);
    float[] plain = sample(request, Progress.NONE);
    NativeProfile profile = NativeProfile.of(() -> assertThat(sample(request, Progress.NONE)).isEqualTo(plain));
    double within = 0;
    for (NativeProfile.Layer layer : profile.layers()) {
      assertThat(layer.bytes()).as(layer.shape()).isPositive();
      within += layer.seconds();
    }
    assertThat(within).isPositive().isLessThan(profile.seconds());
    assertThat(profile.layers())
        .filteredOn(layer -> layer.op().equals("conv2d"))
        .isNotEmpty()
        .allSatisfy(layer -> assertThat(layer.calls() % STEPS).isZero())
        .allSatisfy(layer -> assertThat(layer.flops()).isPositive());
  }

  @Test
  void theNoiseMayBeGiven() {
    SampleRequest drawn = request(new float[] {2}, 5);
    float[] noise = NativeNoise.philox(1, 5, 0, ELEMENTS);
    var given =
        new SampleRequest(
            SmallModel.SIZE,
            SmallModel.SIZE,
            STEPS,
            false,
            drawn.prompt(),
            drawn.negative(),
            drawn.guidance(),
            new float[0],
            new long[0],
            new long[0],
            noise,
            new float[0],
            new float[0],
            0,
            Set.of());
    assertThat(sample(given, Progress.NONE)).isEqualTo(sample(drawn, Progress.NONE));
  }

  @Test
  void progressHearsEveryStep() {
    List<String> heard = new ArrayList<>();
    sample(
        request(new float[] {2}, 5),
        (done, total, value, value2) -> heard.add(done + "/" + total + " t=" + (int) value));
    assertThat(heard).containsExactly("1/4 t=751", "2/4 t=501", "3/4 t=251", "4/4 t=1");
  }

  @Test
  void progressCancels() {
    assertThatThrownBy(
            () -> sample(request(new float[] {2}, 5), (done, total, value, value2) -> done < 2))
        .isInstanceOf(CancelledException.class);
  }

  @Test
  void whatProgressThrowsComesThrough() {
    var thrown = new IllegalStateException("no disk");
    assertThatThrownBy(
            () ->
                sample(
                    request(new float[] {2}, 5),
                    (done, total, value, value2) -> {
                      throw thrown;
                    }))
        .isSameAs(thrown);
    assertThatCode(() -> sample(request(new float[] {2}, 5), Progress.NONE))
        .doesNotThrowAnyException();
  }

  @Test
  void aModelRefusesItsOwnCallback() {
    assertThatThrownBy(
            () ->
                sample(
                    request(new float[] {2}, 5),
                    (done, total, value, value2) -> {
                      unet.close();
                      return true;
                    }))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("NativeUNet cannot be used from its own progress callback");
  }

  @Test
  void badRequestsAreRefusedBeforeTheCall() {
    assertThatThrownBy(() -> sample(request(new float[] {2, 2}, 5), Progress.NONE))
        .hasMessage("guidance has 2 elements, expected (1) = 1");
    assertThatThrownBy(() -> sample(request(new float[] {Float.NaN}, 5), Progress.NONE))
        .hasMessage("guidance of image 0 is NaN");
    var wrongPrompt =
        SampleRequest.philox(
            8, 8, STEPS, new int[] {2}, new int[1], new float[1], new long[1], new long[1]);
    assertThatThrownBy(() -> sample(wrongPrompt, Progress.NONE))
        .hasMessage("prompt index is 2, expected 0 to 1");
    var flat =
        SampleRequest.philox(
            0, 8, STEPS, new int[1], new int[1], new float[1], new long[1], new long[1]);
    assertThatThrownBy(() -> sample(flat, Progress.NONE))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("latents");
    var tooMany =
        SampleRequest.philox(
            8, 8, 1000, new int[1], new int[1], new float[1], new long[1], new long[1]);
    assertThatThrownBy(() -> sample(tooMany, Progress.NONE))
        .hasMessage("steps is 1000, expected 1 to 999");
  }

  @Test
  void promptsBelongToOneModel() {
    try (NativeUNet other = model.unet()) {
      assertThatThrownBy(
              () ->
                  other.sample(
                      prompts, SmallModel.DDIM, request(new float[] {2}, 5), Progress.NONE))
          .isInstanceOf(InvalidInputException.class)
          .hasMessage("the prompts were prepared for another UNet");
    }
  }

  @Test
  void aModelClosesItsPrompts() {
    NativeUNet other = model.unet();
    NativePrompts own = other.prompts(text.config().positions(), context);
    other.close();
    assertThatThrownBy(own::use).hasMessage("NativePrompts is closed");
    assertThatCode(own::close).doesNotThrowAnyException();
  }

  @Test
  void forwardGivesNoiseOfTheSamplesShape() {
    float[] eps =
        unet.forward(
            1,
            SmallModel.SIZE,
            SmallModel.SIZE,
            text.config().positions(),
            NativeNoise.philox(1, 2, 0, ELEMENTS),
            new float[] {500},
            Arrays.copyOf(context, context.length / 2));
    assertThat(eps).hasSize(ELEMENTS).doesNotContain(Float.NaN);
  }

  @Test
  void missingAndExtraTensorsAreNamed() {
    try (var weights = model.weights(model.checkpoint.unet().tensors().values())) {
      weights.add("not.there", DType.F32, new long[] {1}, ByteBuffer.allocate(4));
      assertThatThrownBy(() -> NativeUNet.create(model.unetConfig(), weights))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("not.there");
    }
    try (var weights = NativeWeights.create()) {
      assertThatThrownBy(() -> NativeUNet.create(model.unetConfig(), weights))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("conv_in.weight");
    }
  }

  @Test
  void decodesPixelsAndFloatsAlike() {
    float[] latents = sample(request(new float[] {7.5f, 7.5f}, 1, 2), Progress.NONE);
    int size = SmallModel.SIZE * vae.config().scale();
    NativeVae.Pixels pixels =
        vae.decodePixels(SmallModel.SIZE, SmallModel.SIZE, latents, NativeVae.Quantisation.ROUND);
    NativeVae.Floats floats = vae.decodeFloats(SmallModel.SIZE, SmallModel.SIZE, latents);
    assertThat(pixels.values()).hasSize(2 * size * size * 3);
    assertThat(pixels.flags()).containsExactly(0, 0);
    for (int i = 0; i < pixels.values().length; i++) {
      assertThat((double) (pixels.values()[i] & 0xff))
          .isCloseTo(floats.values()[i] * 255.0, within(0.51));
    }
  }

  @Test
  void unsoundImagesAreFlagged() {
    float[] latents = new float[2 * ELEMENTS];
    Arrays.fill(latents, 0, ELEMENTS, Float.NaN);
    NativeVae.Pixels pixels =
        vae.decodePixels(SmallModel.SIZE, SmallModel.SIZE, latents, NativeVae.Quantisation.ROUND);
    assertThat(pixels.flags()[0] & NativeVae.NOT_FINITE).isNotZero();
    assertThat(pixels.flags()[1] & NativeVae.NOT_FINITE).isZero();
  }

  @Test
  void encodesWhatItDecodes() {
    int size = SmallModel.SIZE * vae.config().scale();
    float[] images =
        vae.decode(SmallModel.SIZE, SmallModel.SIZE, NativeNoise.philox(1, 2, 0, ELEMENTS));
    assertThat(images).hasSize(3 * size * size);
    NativeVae.Moments moments = vae.encode(size, size, images);
    assertThat(moments.mean()).hasSize(ELEMENTS);
    assertThat(moments.logvar()).hasSize(ELEMENTS).doesNotContain(Float.NaN);
    assertThatThrownBy(() -> vae.encode(size, size + 1, images))
        .isInstanceOf(InvalidInputException.class);
  }

  private static float[] sample(SampleRequest request, Progress progress) {
    return unet.sample(prompts, SmallModel.DDIM, request, progress);
  }

  /** One image per key: prompt 1 against prompt 0. */
  private static SampleRequest request(float[] guidance, long... keys) {
    int[] prompt = new int[keys.length];
    long[] seed = new long[keys.length];
    Arrays.fill(prompt, 1);
    Arrays.fill(seed, 1);
    return SampleRequest.philox(
        SmallModel.SIZE,
        SmallModel.SIZE,
        STEPS,
        prompt,
        new int[keys.length],
        guidance,
        seed,
        keys);
  }
}
