// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.motley.ffi.NativeNoise;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which of the generator's draws goes where, as in diffusers' pipelines: latents, where none are given, then the steps that are run. */
class StartsTest {
  private static final int VALUES = 16;

  /** {@code torch.manual_seed(0); torch.randn(16)}, and what the next call gives; the beginning of each. */
  private static final float[] FIRST = {-1.1258f, -1.1524f, -0.2506f, -0.4339f, 0.8487f, 0.6920f};

  private static final float[] SECOND = {-1.3527f, -1.6959f, 0.5667f, 0.7935f, 0.5988f, -1.5551f};

  private static final Latents GIVEN = new Latents(1, 2, 2, new float[VALUES]);

  private static ImageRequest request(NoiseGenerator generator) {
    return new ImageRequest("dress", "", 3, 1, generator, 0, 0);
  }

  private static Starts.Noise noise(int steps, double strength, ImageRequest... requests) {
    return new Starts(List.of(requests), 4, 2, 2).noise(new SamplingOptions(8, 8, steps, false, strength));
  }

  private static void assertBegins(float[] values, int at, float[] expected) {
    assertThat(Arrays.copyOfRange(values, at, at + expected.length)).containsExactly(expected, within(6e-5f));
  }

  @Test
  void theLatentsComeFirst() {
    Starts.Noise noise = noise(4, 1, request(NoiseGenerator.TORCH));
    assertBegins(noise.latents(), 0, FIRST);
    assertBegins(noise.steps(), 0, SECOND);
  }

  /** Of four steps two are run: the first of them takes the draw after that of the latents. */
  @Test
  void stepsThatAreLeftOutTakeNoDraw() {
    Starts.Noise noise = noise(4, 0.5, request(NoiseGenerator.TORCH).withImage(GIVEN));
    assertBegins(noise.latents(), 0, FIRST);
    assertThat(Arrays.copyOf(noise.steps(), 2 * VALUES)).containsOnly(0);
    assertBegins(noise.steps(), 2 * VALUES, SECOND);
    assertThat(Arrays.copyOfRange(noise.steps(), 2 * VALUES, 4 * VALUES))
        .isEqualTo(Arrays.copyOfRange(NativeNoise.torch(0, 3, VALUES), VALUES, 3 * VALUES));
  }

  @Test
  void givenLatentsTakeNoDraw() {
    Starts.Noise noise = noise(2, 1, request(NoiseGenerator.TORCH).withLatents(GIVEN));
    assertThat(noise.latents()).containsOnly(0);
    assertBegins(noise.steps(), 0, FIRST);
    assertBegins(noise.steps(), VALUES, SECOND);
  }

  /** The counter-based generator knows no order: in a batch with torch's it gives what the native sampler takes from it alone. */
  @Test
  void philoxDrawsByTheNumberOfTheStep() {
    Starts.Noise noise =
        noise(4, 0.5, request(NoiseGenerator.TORCH).withImage(GIVEN), request(NoiseGenerator.PHILOX).withImage(GIVEN));
    assertThat(Arrays.copyOfRange(noise.latents(), VALUES, 2 * VALUES)).isEqualTo(NativeNoise.philox(0, 0, 0, VALUES));
    assertThat(Arrays.copyOfRange(noise.steps(), 5 * VALUES, 6 * VALUES)).isEqualTo(NativeNoise.philox(0, 0, 3, VALUES));
    assertBegins(noise.steps(), 4 * VALUES, SECOND);
  }
}
