// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import dev.motley.InvalidInputException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.function.Function;

/** A UNet2DConditionModel: predicts the noise in a latent image, and samples with DDIM. */
public final class NativeUNet extends NativeHandle {

  private static final MethodHandle CREATE = Native.bind("motley_unet_create");
  private static final MethodHandle DESTROY = Native.bind("motley_unet_destroy");
  private static final MethodHandle FORWARD = Native.bind("motley_unet_forward");
  private static final MethodHandle SAMPLE = Native.bind("motley_sample");

  private final UNetConfig config;

  private NativeUNet(MemorySegment pointer, UNetConfig config) {
    super(pointer, DESTROY);
    this.config = config;
  }

  /**
   * Makes the model.
   *
   * @param config its shape
   * @param weights all of its tensors and no others, by diffusers' names
   * @return the model, independent of {@code weights} from now on
   * @throws InvalidInputException naming each missing, extra or mis-shaped tensor
   */
  public static NativeUNet create(UNetConfig config, NativeWeights weights) {
    try (Arena arena = Arena.ofConfined();
        Use tensors = weights.useData()) {
      MemorySegment c = config.toC(arena);
      return new NativeUNet(
          create((out, error) -> (int) CREATE.invokeExact(c, tensors.pointer(), out, error)),
          config);
    }
  }

  /**
   * Predicts the noise once.
   *
   * @param n images
   * @param height of the latents
   * @param width of the latents
   * @param tokens of each context
   * @param sample (n, inChannels, height, width)
   * @param timesteps (n)
   * @param context (n, tokens, crossAttentionDim)
   * @return eps (n, outChannels, height, width)
   */
  public float[] forward(
      int n,
      int height,
      int width,
      int tokens,
      float[] sample,
      float[] timesteps,
      float[] context) {
    Sizes.check("sample", sample.length, n, config.inChannels(), height, width);
    Sizes.check("timesteps", timesteps.length, n);
    Sizes.check("context", context.length, n, tokens, config.crossAttentionDim());
    int length = Sizes.length("eps", n, config.outChannels(), height, width);
    try (Use self = use();
        Arena arena = Arena.ofConfined()) {
      MemorySegment cSample = arena.allocateFrom(ValueLayout.JAVA_FLOAT, sample);
      MemorySegment cTimesteps = arena.allocateFrom(ValueLayout.JAVA_FLOAT, timesteps);
      MemorySegment cContext = arena.allocateFrom(ValueLayout.JAVA_FLOAT, context);
      MemorySegment eps = arena.allocate(ValueLayout.JAVA_FLOAT, length);
      Native.check(
          error ->
              (int)
                  FORWARD.invokeExact(
                      self.pointer(),
                      (long) n,
                      (long) height,
                      (long) width,
                      (long) tokens,
                      cSample,
                      cTimesteps,
                      cContext,
                      eps,
                      error));
      return eps.toArray(ValueLayout.JAVA_FLOAT);
    }
  }

  /**
   * Prepares encoded prompts for this model: their cross-attention keys and values, computed once.
   *
   * @param tokens of each prompt
   * @param context (n, tokens, crossAttentionDim), as the text encoder gives it
   * @return the prompts, closed with this model at the latest
   */
  public NativePrompts prompts(int tokens, float[] context) {
    int n = Sizes.count("context", context.length, tokens, config.crossAttentionDim());
    try (Use self = use()) {
      return adopt(NativePrompts.create(this, self.pointer(), n, tokens, context));
    }
  }

  /**
   * Draws images: DDIM with classifier-free guidance. Each image depends on its own entries of the
   * request only, not on the batch it is in.
   *
   * @param prompts made by this model
   * @param ddim the noise schedule
   * @param request the images to draw
   * @param progress hears each step, with the timestep just done as its value
   * @return latents (batch, inChannels, height, width), still scaled as the sampler leaves them
   * @throws dev.motley.CancelledException if the progress cancelled
   */
  public float[] sample(
      NativePrompts prompts, DdimConfig ddim, SampleRequest request, Progress progress) {
    return sample(prompts, ddim, request, _ -> progress, 0);
  }

  /**
   * The same, showing after every step what the images are going to be.
   *
   * @param prompts made by this model
   * @param ddim the noise schedule
   * @param request the images to draw
   * @param preview sees each step; may stop
   * @return as above
   */
  public float[] sample(
      NativePrompts prompts, DdimConfig ddim, SampleRequest request, Preview preview) {
    int length =
        Sizes.length("latents", request.batch(), config.inChannels(), request.height(), request.width());
    return sample(
        prompts,
        ddim,
        request,
        shown -> (done, total, _, _) -> preview.proceed(done, total, shown.toArray(ValueLayout.JAVA_FLOAT)),
        length);
  }

  /**
   * Sees a sampling on its way.
   */
  @FunctionalInterface
  public interface Preview {
    /**
     * Called after each step.
     *
     * @param done steps
     * @param total steps
     * @param latents (batch, channels, height, width): the denoised latents as the step predicts them
     * @return false to stop
     */
    boolean proceed(long done, long total, float[] latents);
  }

  private float[] sample(
      NativePrompts prompts,
      DdimConfig ddim,
      SampleRequest request,
      Function<MemorySegment, Progress> progress,
      int shown) {
    if (prompts.model() != this) {
      throw new InvalidInputException("the prompts were prepared for another UNet");
    }
    int channels = config.inChannels();
    request.check(channels, prompts.count(), ddim);
    int length =
        Sizes.length("latents", request.batch(), channels, request.height(), request.width());
    try (Use self = use();
        Use texts = prompts.use();
        Arena arena = Arena.ofConfined()) {
      MemorySegment preview = shown == 0 ? MemorySegment.NULL : arena.allocate(ValueLayout.JAVA_FLOAT, shown);
      var callback = new ProgressCallback(arena, progress.apply(preview));
      MemorySegment cDdim = ddim.toC(arena);
      MemorySegment params = request.toC(arena, callback, preview);
      MemorySegment latents = arena.allocate(ValueLayout.JAVA_FLOAT, length);
      callback.run(
          error ->
              (int)
                  SAMPLE.invokeExact(
                      self.pointer(), texts.pointer(), cDdim, params, latents, error));
      return latents.toArray(ValueLayout.JAVA_FLOAT);
    }
  }

  /**
   * Returns the shape of the model.
   *
   * @return the configuration it was made from
   */
  public UNetConfig config() {
    return config;
  }
}
