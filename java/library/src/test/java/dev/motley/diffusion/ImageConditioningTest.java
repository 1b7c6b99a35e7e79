// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.CancelledException;
import dev.motley.InvalidInputException;
import dev.motley.Precision;
import dev.motley.ProgressListener;
import dev.motley.diffusion.Conditioning.Embedding;
import dev.motley.ffi.NativeNoise;
import dev.motley.image.RgbImage;
import dev.motley.testing.Shared;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Pictures begun from pictures, from given noise, and from vectors in the place of texts. */
class ImageConditioningTest {
  private static final int STEPS = 8;
  private static final int SIZE = 32;
  private static final int LATENTS = 4 * 8 * 8;

  private static DiffusionPipeline pipeline;

  @BeforeAll
  static void load() {
    pipeline = DiffusionPipeline.load(Shared.repository().resolve("models/clothes"), Precision.FP32);
  }

  @AfterAll
  static void close() {
    pipeline.close();
  }

  private static SamplingOptions options(double strength) {
    return new SamplingOptions(SIZE, SIZE, STEPS, false, strength);
  }

  private static Pictures draw(double strength, ImageRequest... requests) {
    return pipeline.draw(List.of(requests), options(strength), ProgressListener.NONE);
  }

  private static ImageRequest dress(long seed) {
    return ImageRequest.of("an image of a dress", 3, seed);
  }

  private static double meanDifference(byte[] a, byte[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += Math.abs(Byte.toUnsignedInt(a[i]) - Byte.toUnsignedInt(b[i]));
    }
    return sum / a.length;
  }

  @Test
  void aTextsEmbeddingDrawsWhatTheTextDraws() {
    Embedding prompt = pipeline.embed("an image of a dress");
    Embedding nothing = pipeline.embed("");
    assertThat(prompt.tokens()).isEqualTo(77);
    byte[] picture = draw(1, dress(4)).picture(0);
    assertThat(draw(1, ImageRequest.of(prompt, nothing, 3, 4)).picture(0)).isEqualTo(picture);
    assertThat(draw(1, ImageRequest.of(prompt, Conditioning.NOTHING, 3, 4)).picture(0)).isEqualTo(picture);
  }

  @Test
  void aMixtureLiesBetweenItsParts() {
    Embedding dress = pipeline.embed("an image of a dress");
    Embedding bag = pipeline.embed("an image of a bag");
    assertThat(Embedding.mixture(List.of(dress, bag), 1, 0)).isEqualTo(dress);
    Embedding middle = Embedding.mixture(List.of(dress, bag), 0.5, 0.5);
    for (int i = 0; i < middle.values().length; i += 97) {
      assertThat(middle.values()[i]).isEqualTo((float) ((dress.values()[i] + (double) bag.values()[i]) / 2));
    }
    Pictures drawn = draw(1, ImageRequest.of(middle, Conditioning.NOTHING, 3, 4), dress(4));
    assertThat(drawn.quality()).containsOnly(Quality.GOOD);
    assertThat(drawn.picture(0)).isNotEqualTo(drawn.picture(1));
  }

  /** As models conditioned on CLIP's image embeddings have them: one token, or a few. */
  @Test
  void vectorsOfAnyNumberOfTokensAreAttendedTo() {
    for (int tokens : new int[] {1, 5, 200}) {
      float[] values = NativeNoise.philox(1, tokens, 0, tokens * 96);
      var request = ImageRequest.of(new Embedding(tokens, values), Embedding.zeros(tokens, 96), 3, 4);
      Pictures alone = draw(1, request);
      assertThat(alone.quality()).containsOnly(Quality.GOOD);
      values[0] += 1;
      var other = ImageRequest.of(new Embedding(tokens, values), Embedding.zeros(tokens, 96), 3, 4);
      assertThat(draw(1, other, request).picture(1)).isEqualTo(alone.picture(0));
      assertThat(draw(1, other).picture(0)).isNotEqualTo(alone.picture(0));
    }
  }

  @Test
  void givenNoiseReplacesTheGenerators() {
    byte[] picture = draw(1, dress(4)).picture(0);
    var noise = new Latents(1, 8, 8, NativeNoise.philox(4, 0, 0, LATENTS));
    assertThat(draw(1, dress(99).withLatents(noise), dress(4)).picture(0)).isEqualTo(picture);
  }

  @Test
  void aPictureSurvivesTheAutoencoder() {
    Pictures drawn = draw(1, dress(4), dress(5));
    List<RgbImage> images = drawn.images();
    Latents mean = pipeline.encode(images);
    assertThat(mean.count()).isEqualTo(2);
    assertThat(meanDifference(pipeline.decode(mean, false).pixels(), drawn.pixels())).isLessThan(6);
    Latents sampled = pipeline.encode(images, 7);
    assertThat(sampled.values()).isNotEqualTo(mean.values());
    assertThat(pipeline.encode(images, 7).values()).isEqualTo(sampled.values());
    assertThat(meanDifference(pipeline.decode(sampled, false).pixels(), drawn.pixels())).isLessThan(12);
  }

  @Test
  void theLessStrengthTheNearerToThePicture() {
    Pictures first = draw(1, dress(4));
    Latents image = pipeline.encode(first.images());
    double before = 0;
    for (double strength : new double[] {0.13, 0.5, 1}) {
      byte[] drawn = draw(strength, dress(9).withImage(image)).picture(0);
      double difference = meanDifference(drawn, first.picture(0));
      assertThat(difference).isGreaterThan(before);
      before = difference;
    }
    // in a batch as alone, and diffusers' number of steps: int(8 * 0.5)
    byte[] alone = draw(0.5, dress(9).withImage(image)).picture(0);
    assertThat(draw(0.5, dress(8).withImage(image), dress(9).withImage(image)).picture(1)).isEqualTo(alone);
    assertThat(options(0.5).firstStep()).isEqualTo(4);
    assertThat(new SamplingOptions(SIZE, SIZE, 50, false, 0.75).firstStep()).isEqualTo(13);
    assertThat(options(1).firstStep()).isZero();
  }

  @Test
  void everyStepCanBeSeenAndIsNearerToTheEnd() {
    Pictures end = draw(1, dress(4), dress(5));
    var differences = new ArrayList<Double>();
    Latents latents =
        pipeline.denoise(
            List.of(dress(4), dress(5)),
            options(1),
            (done, total, preview) -> {
              assertThat(total).isEqualTo(STEPS);
              differences.add(meanDifference(pipeline.decode(preview, false).pixels(), end.pixels()));
              return true;
            });
    assertThat(pipeline.decode(latents, false).pixels()).isEqualTo(end.pixels());
    assertThat(differences).hasSize(STEPS);
    assertThat(differences.getLast()).isLessThan(3).isLessThan(differences.getFirst() / 4);
    assertThatThrownBy(() -> pipeline.denoise(List.of(dress(4)), options(1), (done, _, _) -> done < 2))
        .isInstanceOf(CancelledException.class);
  }

  @Test
  void whatDoesNotFitIsOneLine() {
    refused("two", () -> Embedding.mixture(List.of(), 1.0), "a mixture of 0 embeddings with 1 weights");
    Embedding one = Embedding.zeros(1, 96);
    refused("sum", () -> Embedding.mixture(List.of(one, one), 0.5, 0.6), "must be at least 0 and add up to 1");
    refused("negative", () -> Embedding.mixture(List.of(one, one), 1.5, -0.5), "must be at least 0 and add up to 1");
    refused("shape", () -> Embedding.mixture(List.of(one, Embedding.zeros(2, 96)), 0.5, 0.5), "of 1 tokens with 96 values and of 2 with 192");
    refused("ragged", () -> new Embedding(2, new float[5]), "5 values are not 2 tokens of one width");
    refused("nan", () -> new Embedding(1, new float[] {Float.NaN}), "an embedding holds NaN");
    refused("width", () -> draw(1, ImageRequest.of(Embedding.zeros(1, 768), one, 3, 1)), "is 768 wide, this model attends to vectors of 96");
    refused("tokens", () -> draw(1, ImageRequest.of(one, Conditioning.NOTHING, 3, 1)), "must have the same number");
    Latents image = pipeline.encode(draw(1, dress(4)).images());
    refused("some", () -> draw(0.5, dress(1).withImage(image), dress(2)), "of 2 images of a batch 1 begin from a picture: all or none can");
    refused("none", () -> draw(0.5, dress(1)), "strength 0.5 needs a picture to begin from");
    refused("size", () -> draw(1, dress(1).withLatents(new Latents(1, 4, 4, new float[64]))), "the initial noise is of 1 images, 4 x 4 latents");
    refused("strength", () -> options(0), "strength must be above 0 and at most 1, got 0.0");
    refused("no step", () -> options(0.1), "strength 0.1 leaves none of 8 steps");
    var small = new RgbImage(16, 16, new byte[16 * 16 * 3]);
    var large = new RgbImage(SIZE, SIZE, new byte[SIZE * SIZE * 3]);
    refused("sizes", () -> pipeline.encode(List.of(small, large)), "pictures of 16x16 and 32x32 cannot be encoded together");
    refused("odd", () -> pipeline.encode(List.of(new RgbImage(15, 16, new byte[15 * 16 * 3]))), "expected multiples of 4");
  }

  private static void refused(String what, Runnable call, String message) {
    assertThatThrownBy(call::run).as(what).isInstanceOf(InvalidInputException.class).hasMessageContaining(message).hasMessageNotContaining("\n");
  }
}
