// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import dev.motley.InvalidInputException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Set;

/**
 * A batch of images to draw. Arrays have one entry per image unless said otherwise; those that may
 * be left out are empty then.
 *
 * @param height of the latents
 * @param width of the latents
 * @param steps of the DDIM run
 * @param clipSample whether the predicted x0 is clamped to [-1, 1]
 * @param prompt index of the prompt
 * @param negative index of the unconditional or negative prompt
 * @param guidance guidance scale; exactly 1 skips the negative half
 * @param eta DDIM's eta; empty for 0
 * @param seed Philox key; empty where latents are given and eta is 0
 * @param imageKey Philox stream of the image; empty where seed is
 * @param latents (batch, channels, height, width): the initial noise; empty for Philox normals
 * @param noise (steps, batch, channels, height, width), for eta &gt; 0; empty for Philox normals
 * @param image (batch, channels, height, width): latents of images to begin from, scaled; empty to begin from noise alone
 * @param firstStep steps left out at the beginning
 * @param published work that is not saved
 */
public record SampleRequest(
    int height,
    int width,
    int steps,
    boolean clipSample,
    int[] prompt,
    int[] negative,
    float[] guidance,
    float[] eta,
    long[] seed,
    long[] imageKey,
    float[] latents,
    float[] noise,
    float[] image,
    int firstStep,
    Set<Published> published) {

  /**
   * Makes the usual request: eta 0 and noise from (seed, imageKey).
   *
   * @param height of the latents
   * @param width of the latents
   * @param steps of the DDIM run
   * @param prompt index of each image's prompt
   * @param negative index of each image's negative prompt
   * @param guidance guidance scale of each image
   * @param seed Philox key of each image
   * @param imageKey Philox stream of each image
   * @return the request
   */
  public static SampleRequest philox(
      int height,
      int width,
      int steps,
      int[] prompt,
      int[] negative,
      float[] guidance,
      long[] seed,
      long[] imageKey) {
    float[] none = {};
    return new SampleRequest(
        height, width, steps, false, prompt, negative, guidance, none, seed, imageKey, none, none, none, 0, Set.of());
  }

  /**
   * Returns the number of images.
   *
   * @return the length of {@code prompt}
   */
  public int batch() {
    return prompt.length;
  }

  void check(int channels, int prompts, DdimConfig ddim) {
    Sizes.range("steps", steps, 1, ddim.maxSteps());
    Sizes.range("the first step", firstStep, 0, steps - 1);
    Sizes.range("the number of images", batch(), 1, Integer.MAX_VALUE);
    Sizes.check("negative", negative.length, batch());
    Sizes.check("guidance", guidance.length, batch());
    optional("eta", eta.length, batch());
    optional("seed", seed.length, batch());
    optional("imageKey", imageKey.length, batch());
    optional("latents", latents.length, batch(), channels, height, width);
    optional("noise", noise.length, steps, batch(), channels, height, width);
    optional("image", image.length, batch(), channels, height, width);
    for (int i = 0; i < batch(); i++) {
      Sizes.range("prompt index", prompt[i], 0, prompts - 1);
      Sizes.range("negative prompt index", negative[i], 0, prompts - 1);
      if (!Float.isFinite(guidance[i])) {
        throw new InvalidInputException("guidance of image " + i + " is " + guidance[i]);
      }
    }
    if (seed.length != imageKey.length) {
      throw new InvalidInputException("seed and imageKey must be given together");
    }
    boolean drawsNoise = latents.length == 0 || (eta.length > 0 && noise.length == 0);
    if (drawsNoise && seed.length == 0) {
      throw new InvalidInputException("noise has to be drawn, but no seeds are given");
    }
  }

  private static void optional(String what, int length, long... shape) {
    if (length > 0) {
      Sizes.check(what, length, shape);
    }
  }

  MemorySegment toC(Arena arena, ProgressCallback callback, MemorySegment preview) {
    return Struct.allocate(arena, Header.SAMPLE_PARAMS)
        .put("batch", (long) batch())
        .put("height", (long) height)
        .put("width", (long) width)
        .put("steps", steps)
        .put("clip_sample", clipSample)
        .put("prompt", arena.allocateFrom(ValueLayout.JAVA_INT, prompt))
        .put("negative", arena.allocateFrom(ValueLayout.JAVA_INT, negative))
        .put("guidance", arena.allocateFrom(ValueLayout.JAVA_FLOAT, guidance))
        .put("eta", orNull(arena, eta))
        .put("seed", orNull(arena, seed))
        .put("image_key", orNull(arena, imageKey))
        .put("latents", orNull(arena, latents))
        .put("noise", orNull(arena, noise))
        .put("progress", callback.function())
        .put("image", orNull(arena, image))
        .put("first_step", firstStep)
        .put("as_published", Published.bits(published))
        .put("preview", preview)
        .segment();
  }

  private static MemorySegment orNull(Arena arena, float[] values) {
    return values.length == 0
        ? MemorySegment.NULL
        : arena.allocateFrom(ValueLayout.JAVA_FLOAT, values);
  }

  private static MemorySegment orNull(Arena arena, long[] values) {
    return values.length == 0
        ? MemorySegment.NULL
        : arena.allocateFrom(ValueLayout.JAVA_LONG, values);
  }
}
