// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import dev.motley.InvalidInputException;
import dev.motley.ffi.NativeNoise;
import java.nio.FloatBuffer;
import java.util.List;

/** What the images of a batch begin from, where that is not drawn by the native sampler. */
final class Starts {
  private final List<ImageRequest> requests;
  private final int height;
  private final int width;
  private final int elements;

  /** For latents (channels, height, width) of each image. */
  Starts(List<ImageRequest> requests, int channels, int height, int width) {
    this.requests = requests;
    this.height = height;
    this.width = width;
    elements = Math.multiplyExact(Math.multiplyExact(channels, height), width);
    requests.forEach(
        request -> {
          request.latents().ifPresent(latents -> check("the initial noise", latents));
          request.image().ifPresent(latents -> check("the picture to begin from", latents));
        });
  }

  /**
   * Noise; both arrays are empty where the native sampler draws it.
   *
   * @param latents (batch, elements)
   * @param steps (steps, batch, elements), where an image has eta above 0
   */
  record Noise(float[] latents, float[] steps) {}

  /**
   * As diffusers draws: one generator per image gives its latents, unless these are given, and then one tensor for each step that is run.
   */
  Noise noise(SamplingOptions options) {
    int steps = options.steps();
    int first = options.firstStep();
    boolean torch = requests.stream().anyMatch(r -> r.noise() == NoiseGenerator.TORCH);
    boolean given = requests.stream().anyMatch(r -> r.latents().isPresent());
    boolean stochastic = torch && requests.stream().anyMatch(r -> r.eta() > 0);
    int n = requests.size();
    float[] latents = new float[torch || given ? Math.multiplyExact(n, elements) : 0];
    float[] later = new float[stochastic ? Math.multiplyExact(Math.multiplyExact(steps, n), elements) : 0];
    for (int i = 0; latents.length > 0 && i < n; i++) {
      ImageRequest request = requests.get(i);
      Generator generator = generator(request, (request.latents().isPresent() ? 0 : 1) + (steps - first));
      float[] initial = request.latents().map(Latents::values).orElseGet(() -> generator.draw(0));
      System.arraycopy(initial, 0, latents, i * elements, elements);
      for (int s = first; stochastic && request.eta() > 0 && s < steps; s++) {
        System.arraycopy(generator.draw(1 + s), 0, later, (s * n + i) * elements, elements);
      }
    }
    return new Noise(latents, later);
  }

  /** Gives tensors, one after the other. */
  @FunctionalInterface
  private interface Generator {
    /**
     * The next one.
     *
     * @param number of the draw, for generators that know no order: 0 the latents, 1 + s step s of all
     */
    float[] draw(int number);
  }

  /** @param most draws that may be asked for */
  private Generator generator(ImageRequest request, int most) {
    if (request.noise() != NoiseGenerator.TORCH) {
      return number -> NativeNoise.philox(request.seed(), request.noiseKey(), number, elements);
    }
    int draws = request.eta() > 0 ? most : 1;
    FloatBuffer drawn = FloatBuffer.wrap(NativeNoise.torch(request.seed(), draws, elements));
    return _ -> {
      float[] next = new float[elements];
      drawn.get(next);
      return next;
    };
  }

  /** (batch, elements), or empty where all begin from noise alone. */
  float[] images(SamplingOptions options) {
    long given = requests.stream().filter(request -> request.image().isPresent()).count();
    if (given != 0 && given != requests.size()) {
      throw new InvalidInputException("of %d images of a batch %d begin from a picture: all or none can".formatted(requests.size(), given));
    }
    if (given == 0 && options.firstStep() > 0) {
      throw new InvalidInputException("strength %s needs a picture to begin from".formatted(options.strength()));
    }
    return given == 0 ? new float[0] : joined();
  }

  private float[] joined() {
    float[] all = new float[Math.multiplyExact(requests.size(), elements)];
    for (int i = 0; i < requests.size(); i++) {
      System.arraycopy(requests.get(i).image().orElseThrow().values(), 0, all, i * elements, elements);
    }
    return all;
  }

  private void check(String what, Latents latents) {
    if (latents.count() != 1 || latents.height() != height || latents.width() != width || latents.values().length != elements) {
      throw new InvalidInputException(
          "%s is of %d images, %d x %d latents with %d values; expected 1, %d x %d with %d"
              .formatted(
                  what, latents.count(), latents.height(), latents.width(), latents.values().length, height, width, elements));
    }
  }
}
