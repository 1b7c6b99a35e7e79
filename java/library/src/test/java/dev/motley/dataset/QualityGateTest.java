// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.MotleyException;
import dev.motley.Precision;
import dev.motley.ProgressListener;
import dev.motley.diffusion.DiffusionPipeline;
import dev.motley.image.Resize;
import dev.motley.testing.Shared;
import dev.motley.tricks.DatasetPreset;
import dev.motley.tricks.Fidelity;
import dev.motley.tricks.GenerationPlan;
import dev.motley.tricks.PlanSpec;
import dev.motley.tricks.Trick;
import dev.motley.tricks.TrickMix;
import dev.motley.weights.SafeTensors;
import dev.motley.weights.SafeTensorsWriter;
import dev.motley.weights.TensorView;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pictures that are not finite or of one colour, from the embedded model with its decoder's last bias changed. */
class QualityGateTest {
  private static final String BIAS = "decoder.conv_out.bias";

  /** Lifts all but the darkest pictures to plain white. */
  private static final float WHITENING = 2.6f;

  /** Above fp16's largest number, 65504. */
  private static final float BEYOND_HALF = 1e5f;

  private static final GenerationPlan PLAN =
      GenerationPlan.of(
          PlanSpec.of(DatasetPreset.named("fashion-mnist"), Fidelity.PAPER)
              .withSteps(2)
              .with(TrickMix.only(Trick.BASE_CLASS, 2)));

  @TempDir private Path folder;

  private Path model(float bias) throws IOException {
    Path original = Shared.repository().resolve("models/clothes");
    Path model = folder.resolve("model");
    try (Stream<Path> files = Files.walk(original)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path copy = model.resolve(original.relativize(file).toString());
        Files.createDirectories(copy.getParent());
        Files.copy(file, copy);
      }
    }
    String vae = "vae/diffusion_pytorch_model.safetensors";
    try (SafeTensors tensors = SafeTensors.open(original.resolve(vae))) {
      List<TensorView> changed =
          tensors.tensors().values().stream().map(t -> t.name().equals(BIAS) ? plus(t, bias) : t).toList();
      Files.delete(model.resolve(vae));
      SafeTensorsWriter.write(model.resolve(vae), changed, tensors.metadata());
    }
    return model;
  }

  private static TensorView plus(TensorView tensor, float bias) {
    float[] values = tensor.toFloats();
    for (int i = 0; i < values.length; i++) {
      values[i] += bias;
    }
    return TensorView.ofFloats(tensor.name(), tensor.shape(), values);
  }

  private GenerationResult generate(Path model, String store, int batch) {
    return generate(model, store, batch, Precision.FP32);
  }

  private GenerationResult generate(Path model, String store, int batch, Precision precision) {
    try (var pipeline = DiffusionPipeline.load(model, precision)) {
      var options = new GeneratorOptions(batch, 0, Resize.Filter.BILINEAR_AA, precision, SafetyPolicy.OFF, List.of());
      return DatasetGenerator.generate(PLAN, pipeline, folder.resolve(store), options, ProgressListener.NONE);
    }
  }

  private static int attempts(SyntheticStore store, StoreEntry entry) {
    Map<String, Object> record = StoreJson.read(entry.key(), store.json(entry));
    List<?> redone = (List<?>) record.getOrDefault("redone", List.of());
    var seeds = new HashSet<Object>(List.of(record.get("seed")));
    for (Object one : redone) {
      assertThat(one).asInstanceOf(InstanceOfAssertFactories.MAP).containsEntry("because", "constant");
      assertThat(seeds.add(((Map<?, ?>) one).get("seed"))).as("another seed each time").isTrue();
    }
    return redone.size();
  }

  @Test
  void picturesOfOneColourAreDrawnAgainAndCounted() throws IOException {
    Path model = model(WHITENING);
    GenerationResult result = generate(model, "store", 20);
    assertThat(result.redone()).isPositive();
    assertThat(result.drawn()).isEqualTo(PLAN.size() + result.redone());
    assertThat(SyntheticStore.verify(folder.resolve("store")).isSound()).isTrue();
    SyntheticStore store = SyntheticStore.open(folder.resolve("store"));
    assertThat(store.isComplete()).isTrue();
    assertThat(store.entries().stream().mapToInt(entry -> attempts(store, entry)).sum())
        .isEqualTo(result.redone());
    ImageSet images = StoreView.of(store).load();
    for (int i = 0; i < images.count(); i++) {
      byte[] pixels = images.image(i).pixels();
      byte[] white = new byte[pixels.length];
      Arrays.fill(white, (byte) 255);
      assertThat(pixels).isNotEqualTo(white);
    }
    assertThat(generate(model, "small batches", 3).redone()).isEqualTo(result.redone());
    assertThat(folder.resolve("small batches/000000.tar"))
        .hasSameBinaryContentAs(folder.resolve("store/000000.tar"));
  }

  /** What float32 holds and only clips to white is beyond fp16's largest number. */
  @Test
  void whatOverflowsInHalfPrecisionIsNotFinite() throws IOException {
    Path model = model(BEYOND_HALF);
    for (var expected : Map.of(Precision.FP32, "constant", Precision.FP16, "not-finite").entrySet()) {
      assertThatThrownBy(() -> generate(model, expected.getKey().id(), 20, expected.getKey()))
          .isExactlyInstanceOf(MotleyException.class)
          .hasMessageContaining("came out " + expected.getValue() + " with 16 seeds in a row");
    }
  }

  @Test
  void aModelThatGivesNothingElseIsAFailureThatNamesTheImage() throws IOException {
    Path model = model(Float.NaN);
    for (int i = 0; i < 2; i++) {
      assertThatThrownBy(() -> generate(model, "store", 20))
          .isExactlyInstanceOf(MotleyException.class)
          .hasMessageMatching(
              "image base-class-000-000000 came out not-finite with 16 seeds in a row: .*guidance 7.5 may be at fault");
      assertThat(SyntheticStore.open(folder.resolve("store")).entries()).isEmpty();
    }
    try (var pipeline = DiffusionPipeline.load(Shared.repository().resolve("models/clothes"), Precision.FP32)) {
      GenerationPlan other = GenerationPlan.of(PLAN.spec().withSeed(3));
      for (GenerationPlan plan : List.of(other, other)) {
        DatasetGenerator.generate(
            plan, pipeline, folder.resolve("store"), GeneratorOptions.standard(), ProgressListener.NONE);
      }
    }
    assertThat(SyntheticStore.verify(folder.resolve("store")).isSound()).as("no image was in the way").isTrue();
  }
}
