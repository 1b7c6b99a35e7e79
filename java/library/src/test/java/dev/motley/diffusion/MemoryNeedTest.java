// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.motley.InvalidInputException;
import dev.motley.Precision;
import dev.motley.ProgressListener;
import dev.motley.ResourceException;
import dev.motley.testing.Shared;
import dev.motley.weights.Checkpoint;
import dev.motley.weights.DType;
import dev.motley.weights.Ema;
import dev.motley.weights.UNetConfig;
import dev.motley.weights.VaeConfig;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MemoryNeedTest {
  private static final Path MODEL = Shared.repository().resolve("models/clothes");
  private static final long GIB = 1L << 30;
  private static final SamplingOptions SMALL = new SamplingOptions(32, 32, 4, false);
  private static final SamplingOptions USUAL = new SamplingOptions(512, 512, 4, false);

  private static MemoryNeed stableDiffusion(Precision precision) throws URISyntaxException {
    Path configs = Path.of(Objects.requireNonNull(DType.class.getResource("sd-v1/unet/config.json")).toURI()).getParent().getParent();
    return new MemoryNeed(
        UNetConfig.read(configs.resolve("unet/config.json")), VaeConfig.read(configs.resolve("vae/config.json")), precision);
  }

  /** Resident memory was 4.24 and 6.45 GiB at most, 2.1 and 4.0 of them weights and some 0.1 Java's. */
  @ParameterizedTest
  @CsvSource({"BF16, 2.0", "FP32, 2.25"})
  void aPictureOfStableDiffusionTakesWhatWasMeasured(Precision precision, double gib) throws URISyntaxException {
    MemoryNeed need = stableDiffusion(precision);
    assertThat(need.drawing(USUAL) / GIB).isCloseTo(gib, within(0.25));
    double small = need.drawing(new SamplingOptions(256, 256, 4, false)) / GIB;
    assertThat(small).isCloseTo(1.0, within(0.15)); // 1.05 in bf16
  }

  @Test
  void weightsCountOnceInTheirPrecision() {
    try (Checkpoint checkpoint = Checkpoint.open(MODEL)) {
      long parameters = checkpoint.parts().stream().mapToLong(part -> part.parameters()).sum();
      for (Precision precision : Precision.values()) {
        int each = precision == Precision.FP32 ? 4 : 2;
        var need = new MemoryNeed(checkpoint.unetConfig(), checkpoint.vaeConfig(), precision);
        assertThat((double) need.weights(checkpoint.parts())).isBetween((double) each * parameters, 1.1 * each * parameters);
      }
    }
  }

  private static DiffusionPipeline load(List<SamplingOptions> wanted, long available) {
    return DiffusionPipeline.load(MODEL, Precision.FP32, Ema.AS_GIVEN, false, wanted, ProgressListener.NONE, () -> available);
  }

  @Test
  void loadingAsksForWeightsAndPictureTogether() {
    long weights;
    long picture;
    try (Checkpoint checkpoint = Checkpoint.open(MODEL)) {
      var need = new MemoryNeed(checkpoint.unetConfig(), checkpoint.vaeConfig(), Precision.FP32);
      weights = need.weights(checkpoint.parts());
      picture = (long) Math.ceil(need.drawing(USUAL));
    }
    assertThatThrownBy(() -> load(List.of(), weights - 1))
        .isInstanceOf(ResourceException.class)
        .hasMessageMatching(
            MODEL + ": its weights take about 0\\.\\d GiB of memory in fp32, 0\\.\\d GiB are available; --precision bf16 or fp16 takes about half");
    load(List.of(), weights).close();
    assertThatThrownBy(() -> load(List.of(SMALL, USUAL), weights + picture - 1))
        .isInstanceOf(ResourceException.class)
        .hasMessageMatching(MODEL + ": .* in fp32 and a picture of 512x512 0\\.\\d, 0\\.\\d GiB are available; .*");
    load(List.of(SMALL, USUAL), weights + picture).close();
  }

  @Test
  void wantedPicturesAreCheckedBeforeLoading() {
    assertThatThrownBy(() -> load(List.of(new SamplingOptions(33, 32, 4, false)), 0))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("width and height must be multiples of 4 pixels for this model, got 33x32");
    assertThatThrownBy(() -> load(List.of(new SamplingOptions(32, 32, 1000, false)), 0))
        .hasMessage("steps must be from 1 to 999, got 1000");
  }

  @Test
  void halfPrecisionThatDoesNotFitLeavesSmallerPictures() throws URISyntaxException {
    MemoryNeed need = stableDiffusion(Precision.BF16);
    assertThatThrownBy(() -> need.requireForLoading(Path.of("model"), List.of(), Optional.of(USUAL), GIB))
        .hasMessageEndingWith(" 1.0 GiB are available; draw smaller ones");
    assertThatThrownBy(() -> need.requireForDrawing(USUAL, GIB))
        .hasMessageMatching("a picture of 512x512 pixels takes about 2\\.\\d GiB of memory, 1\\.0 are available: draw smaller ones");
  }
}
