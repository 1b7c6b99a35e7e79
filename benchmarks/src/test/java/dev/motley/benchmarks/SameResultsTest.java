// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;
import static org.assertj.core.api.Assertions.within;

import dev.motley.Precision;
import dev.motley.ProgressListener;
import dev.motley.benchmarks.eager.EagerClassifier;
import dev.motley.benchmarks.eager.EagerOptions;
import dev.motley.benchmarks.eager.EagerPipeline;
import dev.motley.benchmarks.eager.EagerTrainer;
import dev.motley.diffusion.Conditioning;
import dev.motley.diffusion.DiffusionPipeline;
import dev.motley.diffusion.ImageRequest;
import dev.motley.diffusion.NoiseGenerator;
import dev.motley.diffusion.Pictures;
import dev.motley.diffusion.SamplingOptions;
import dev.motley.ffi.DType;
import dev.motley.ffi.NativeClassifier;
import dev.motley.ffi.NativeNoise;
import dev.motley.ffi.NativeTextEncoder;
import dev.motley.ffi.NativeTrainer;
import dev.motley.ffi.NativeWeights;
import dev.motley.ffi.TextConfig;
import dev.motley.testing.Shared;
import dev.motley.text.ClipTokenizer;
import dev.motley.weights.DiffusersCheckpoint;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A ratio of two speeds means something only where both sides compute the same. */
class SameResultsTest {

  private static final int SEED = 11;
  private static final int STEPS = 10;
  private static final int LATENT = 4 * 8 * 8;

  /**
   * AdamW's first step goes by the signs of the gradients, and those near 0 have the sign of their
   * rounding: the step is so small that this shows less than the step itself.
   */
  private static final double LEARNING_RATE = 1e-5;

  private static final double ROUNDING = 5e-3;

  /** With PyTorch's noise: the picture that its users know by the seed. */
  @ParameterizedTest
  @EnumSource
  void bothDrawTheSamePictures(NoiseGenerator noise) {
    Path model = Shared.repository().resolve("models/clothes");
    float[] guidance = {1, 2.5f, 7.5f};
    List<ImageRequest> requests =
        Workloads.requests(guidance, SEED).stream()
            .map(r -> new ImageRequest(r.prompt(), r.negative(), r.guidance(), r.eta(), noise, r.seed(), r.noiseKey(), r.latents(), r.image()))
            .toList();
    byte[] theirs;
    try (EagerPipeline pipeline = EagerPipeline.load(model, false)) {
      theirs = pipeline.draw(batch(model, requests, guidance), STEPS);
    }
    try (DiffusionPipeline pipeline = DiffusionPipeline.load(model, Precision.FP32)) {
      SamplingOptions options =
          new SamplingOptions(Workloads.IMAGE_SIZE, Workloads.IMAGE_SIZE, STEPS, false);
      Pictures ours = pipeline.draw(requests, options, ProgressListener.NONE);
      assertThat(ours.pixels()).hasSameSizeAs(theirs);
      int worst =
          IntStream.range(0, theirs.length)
              .map(i -> Math.abs((ours.pixels()[i] & 0xFF) - (theirs[i] & 0xFF)))
              .max()
              .orElseThrow();
      assertThat(worst).as("largest difference in 8-bit values").isLessThanOrEqualTo(1);
    }
  }

  private static EagerPipeline.Batch batch(
      Path model, List<ImageRequest> requests, float[] guidance) {
    int n = requests.size();
    float[] latents = new float[n * LATENT];
    for (int i = 0; i < n; i++) {
      ImageRequest request = requests.get(i);
      float[] noise =
          switch (request.noise()) {
            case PHILOX -> NativeNoise.philox(request.seed(), request.noiseKey(), 0, LATENT);
            case TORCH -> torchNormals(request.seed());
          };
      System.arraycopy(noise, 0, latents, i * LATENT, LATENT);
    }
    try (DiffusersCheckpoint checkpoint = DiffusersCheckpoint.open(model);
        NativeTextEncoder encoder = encoder(checkpoint)) {
      ClipTokenizer tokenizer = ClipTokenizer.of(checkpoint);
      float[] negative = encode(encoder, tokenizer, requests, ImageRequest::negative);
      float[] positive = encode(encoder, tokenizer, requests, ImageRequest::prompt);
      int tokens = checkpoint.textConfig().positions();
      return new EagerPipeline.Batch(n, 4, 8, tokens, latents, negative, positive, guidance);
    }
  }

  private static float[] torchNormals(long seed) {
    torch.manual_seed(seed);
    return drawn(LATENT);
  }

  /** Torch's generator goes on. */
  private static float[] drawn(int n) {
    float[] normals = new float[n];
    try (Tensor drawn = torch.randn(n)) {
      new FloatPointer(drawn.data_ptr()).get(normals);
    }
    return normals;
  }

  /** Below 16 elements torch draws in pairs, from there on in blocks of 16, the last of them twice. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3, 4, 15, 16, 20, 36, 100})
  void noiseOfSuccessiveDrawsIsTorchs(int n) {
    int draws = 3;
    float[] ours = NativeNoise.torch(7, draws, n);
    torch.manual_seed(7);
    for (int i = 0; i < draws; i++) {
      assertThat(Arrays.copyOfRange(ours, i * n, (i + 1) * n)).containsExactly(drawn(n), within(1e-5f));
    }
  }

  private static float[] encode(
      NativeTextEncoder encoder,
      ClipTokenizer tokenizer,
      List<ImageRequest> requests,
      Function<ImageRequest, Conditioning> text) {
    return encoder.encode(
        requests.stream()
            .map(text)
            .flatMapToInt(prompt -> IntStream.of(tokenizer.encode(((Conditioning.Text) prompt).text())))
            .toArray());
  }

  private static NativeTextEncoder encoder(DiffusersCheckpoint checkpoint) {
    dev.motley.weights.TextConfig c = checkpoint.textConfig();
    TextConfig config =
        new TextConfig(
            c.vocabSize(),
            c.positions(),
            c.width(),
            c.layers(),
            c.heads(),
            c.mlpWidth(),
            TextConfig.Activation.QUICK_GELU,
            Precision.FP32,
            c.layerNormEps());
    try (NativeWeights weights = NativeWeights.create()) {
      checkpoint
          .textEncoder()
          .tensors()
          .forEach((name, view) -> weights.add(name, DType.F16, view.shape(), view.data()));
      return NativeTextEncoder.create(config, weights);
    }
  }

  @Test
  void bothTrainTheSameNetwork() {
    int n = 16;
    float[] images = Workloads.normals(3, n * 3 * Workloads.IMAGE_SIZE * Workloads.IMAGE_SIZE);
    int[] labels = IntStream.range(0, n).map(i -> i % Workloads.CLASSES).toArray();
    long[] longLabels = IntStream.of(labels).asLongStream().toArray();
    try (EagerClassifier network = Workloads.peer("resnet50", 1, EagerOptions.PUBLISHED);
        EagerTrainer theirs =
            new EagerTrainer(network, LEARNING_RATE, Workloads.WEIGHT_DECAY);
        NativeClassifier classifier = Workloads.classifier("resnet50", 1);
        NativeTrainer ours = NativeTrainer.create(classifier, Workloads.trainer(n))) {
      double before = 0;
      double gained = 0;
      for (int step = 0; step < 2; step++) {
        double expected = theirs.step(images, Workloads.IMAGE_SIZE, longLabels);
        double loss = ours.step(images, labels, LEARNING_RATE).loss();
        assertThat(loss).as("loss of step %d", step).isCloseTo(expected, offset(step == 0 ? 1e-4 : ROUNDING));
        gained = before - loss;
        before = loss;
      }
      assertThat(gained).as("what the first step gained").isGreaterThan(10 * ROUNDING);
    }
  }
}
