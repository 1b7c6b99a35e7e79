// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import dev.motley.InvalidInputException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

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
   * @param height of the latents, a multiple of {@link UNetConfig#sizeMultiple}
   * @param width likewise
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
    checkSize(height, width);
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
    checkSize(request.height(), request.width());
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
      var callback = new ProgressCallback(arena, progress);
      MemorySegment cDdim = ddim.toC(arena);
      MemorySegment params = request.toC(arena, callback);
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

  private void checkSize(int height, int width) {
    int multiple = config.sizeMultiple();
    if (height < 1 || width < 1 || height % multiple != 0 || width % multiple != 0) {
      throw new InvalidInputException(
          "latents are " + height + " x " + width + ", expected multiples of " + multiple);
    }
  }
}
