// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import dev.motley.InvalidInputException;
import dev.motley.ffi.NativeNoise;
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

  Noise noise(int steps) {
    boolean torch = requests.stream().anyMatch(r -> r.noise() == NoiseGenerator.TORCH);
    boolean given = requests.stream().anyMatch(r -> r.latents().isPresent());
    boolean stochastic = torch && requests.stream().anyMatch(r -> r.eta() > 0);
    int n = requests.size();
    float[] latents = new float[torch || given ? Math.multiplyExact(n, elements) : 0];
    float[] later = new float[stochastic ? Math.multiplyExact(Math.multiplyExact(steps, n), elements) : 0];
    for (int i = 0; latents.length > 0 && i < n; i++) {
      ImageRequest request = requests.get(i);
      int draws = stochastic && request.eta() > 0 ? 1 + steps : 1;
      boolean own = request.noise() == NoiseGenerator.TORCH;
      // One generator per image draws the latents, then one tensor a step, as diffusers does.
      float[] drawn = own ? NativeNoise.torch(request.seed(), draws * elements) : new float[0];
      for (int d = 0; d < draws; d++) {
        float[] part = own ? drawn : NativeNoise.philox(request.seed(), request.noiseKey(), d, elements);
        int from = own ? d * elements : 0;
        float[] to = d == 0 ? latents : later;
        int at = d == 0 ? i * elements : ((d - 1) * n + i) * elements;
        System.arraycopy(part, from, to, at, elements);
      }
      if (request.latents().isPresent()) {
        System.arraycopy(request.latents().get().values(), 0, latents, i * elements, elements);
      }
    }
    return new Noise(latents, later);
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
