// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import dev.motley.InvalidInputException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** An AutoencoderKL: latents to images and back. */
public final class NativeVae extends NativeHandle {

  private static final MethodHandle CREATE = Native.bind("motley_vae_create");
  private static final MethodHandle DESTROY = Native.bind("motley_vae_destroy");
  private static final MethodHandle DECODE = Native.bind("motley_vae_decode");
  private static final MethodHandle ENCODE = Native.bind("motley_vae_encode");
  private static final MethodHandle DECODE_PIXELS = Native.bind("motley_vae_decode_pixels");

  /** Bit of a flag: a NaN or an infinity was decoded. */
  public static final int NOT_FINITE = 1;

  /** Bit of a flag: the image is one constant colour. */
  public static final int CONSTANT = 2;

  private final VaeConfig config;

  private NativeVae(MemorySegment pointer, VaeConfig config) {
    super(pointer, DESTROY);
    this.config = config;
  }

  /** How a value between two pixel levels becomes one. */
  public enum Quantisation {
    /** To the nearest, ties to even: diffusers. */
    ROUND,
    /** To the lower: CompVis. */
    TRUNCATE
  }

  /**
   * The distribution an image is encoded to.
   *
   * @param mean (n, latentChannels, h, w), not scaled
   * @param logvar the same shape, not clamped
   */
  public record Moments(float[] mean, float[] logvar) {}

  /**
   * Decoded images of 8 bits.
   *
   * @param values (n, height, width, outChannels), unsigned
   * @param flags (n): {@link #NOT_FINITE} and {@link #CONSTANT}, 0 for a sound image
   */
  public record Pixels(byte[] values, int[] flags) {}

  /**
   * Decoded images before quantising.
   *
   * @param values (n, height, width, outChannels) in [0, 1]
   * @param flags (n): {@link #NOT_FINITE} and {@link #CONSTANT}, 0 for a sound image
   */
  public record Floats(float[] values, int[] flags) {}

  /**
   * Makes the model.
   *
   * @param config its shape
   * @param weights all of its tensors and no others, by diffusers' names
   * @return the model, independent of {@code weights} from now on
   * @throws InvalidInputException naming each missing, extra or mis-shaped tensor
   */
  public static NativeVae create(VaeConfig config, NativeWeights weights) {
    try (Arena arena = Arena.ofConfined();
        Use tensors = weights.useData()) {
      MemorySegment c = config.toC(arena);
      return new NativeVae(
          create((out, error) -> (int) CREATE.invokeExact(c, tensors.pointer(), out, error)),
          config);
    }
  }

  /**
   * Decodes latents as they are, as diffusers' {@code vae.decode} does.
   *
   * @param h latent rows
   * @param w latent columns
   * @param latents (n, latentChannels, h, w), not scaled
   * @return (n, outChannels, h * scale, w * scale), nominally in [-1, 1]
   */
  public float[] decode(int h, int w, float[] latents) {
    int n = countLatents(h, w, latents);
    int length = imageLength(n, h, w);
    try (Use self = use();
        Arena arena = Arena.ofConfined()) {
      MemorySegment in = arena.allocateFrom(ValueLayout.JAVA_FLOAT, latents);
      MemorySegment images = arena.allocate(ValueLayout.JAVA_FLOAT, length);
      Native.check(
          error ->
              (int)
                  DECODE.invokeExact(
                      self.pointer(), (long) n, (long) h, (long) w, in, images, error));
      return images.toArray(ValueLayout.JAVA_FLOAT);
    }
  }

  /**
   * Encodes images.
   *
   * @param height a multiple of {@link VaeConfig#scale}
   * @param width likewise
   * @param images (n, inChannels, height, width) in [-1, 1]
   * @return mean and log variance of the latents
   */
  public Moments encode(int height, int width, float[] images) {
    int scale = config.scale();
    if (height % scale != 0 || width % scale != 0) {
      throw new InvalidInputException(
          "images are " + height + " x " + width + ", expected multiples of " + scale);
    }
    int n = Sizes.count("images", images.length, config.inChannels(), height, width);
    int length = Sizes.length("latents", n, config.latentChannels(), height / scale, width / scale);
    try (Use self = use();
        Arena arena = Arena.ofConfined()) {
      MemorySegment in = arena.allocateFrom(ValueLayout.JAVA_FLOAT, images);
      MemorySegment mean = arena.allocate(ValueLayout.JAVA_FLOAT, length);
      MemorySegment logvar = arena.allocate(ValueLayout.JAVA_FLOAT, length);
      Native.check(
          error ->
              (int)
                  ENCODE.invokeExact(
                      self.pointer(),
                      (long) n,
                      (long) height,
                      (long) width,
                      in,
                      mean,
                      logvar,
                      error));
      return new Moments(
          mean.toArray(ValueLayout.JAVA_FLOAT), logvar.toArray(ValueLayout.JAVA_FLOAT));
    }
  }

  /**
   * Decodes what the sampler gives into 8-bit images.
   *
   * @param h latent rows
   * @param w latent columns
   * @param latents (n, latentChannels, h, w), scaled
   * @param quantisation how values become pixels
   * @return the pixels and which images are unsound
   */
  public Pixels decodePixels(int h, int w, float[] latents, Quantisation quantisation) {
    int n = countLatents(h, w, latents);
    int length = imageLength(n, h, w);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment flags = arena.allocate(ValueLayout.JAVA_INT, n);
      MemorySegment pixels = arena.allocate(length);
      decodeInto(arena, n, h, w, latents, quantisation, pixels, MemorySegment.NULL, flags);
      return new Pixels(pixels.toArray(ValueLayout.JAVA_BYTE), flags.toArray(ValueLayout.JAVA_INT));
    }
  }

  /**
   * Decodes what the sampler gives, without quantising.
   *
   * @param h latent rows
   * @param w latent columns
   * @param latents (n, latentChannels, h, w), scaled
   * @return the values and which images are unsound
   */
  public Floats decodeFloats(int h, int w, float[] latents) {
    int n = countLatents(h, w, latents);
    int length = imageLength(n, h, w);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment flags = arena.allocate(ValueLayout.JAVA_INT, n);
      MemorySegment floats = arena.allocate(ValueLayout.JAVA_FLOAT, length);
      decodeInto(arena, n, h, w, latents, Quantisation.ROUND, MemorySegment.NULL, floats, flags);
      return new Floats(
          floats.toArray(ValueLayout.JAVA_FLOAT), flags.toArray(ValueLayout.JAVA_INT));
    }
  }

  /**
   * Returns the shape of the model.
   *
   * @return the configuration it was made from
   */
  public VaeConfig config() {
    return config;
  }

  private void decodeInto(
      Arena arena,
      long n,
      long h,
      long w,
      float[] latents,
      Quantisation quantisation,
      MemorySegment pixels,
      MemorySegment floats,
      MemorySegment flags) {
    try (Use self = use()) {
      MemorySegment in = arena.allocateFrom(ValueLayout.JAVA_FLOAT, latents);
      int truncate = quantisation.ordinal();
      Native.check(
          error ->
              (int)
                  DECODE_PIXELS.invokeExact(
                      self.pointer(), n, h, w, in, truncate, pixels, floats, flags, error));
    }
  }

  private int countLatents(int h, int w, float[] latents) {
    return Sizes.count("latents", latents.length, config.latentChannels(), h, w);
  }

  private int imageLength(int n, int h, int w) {
    long scale = config.scale();
    return Sizes.length("images", n, h * scale, w * scale, config.outChannels());
  }
}
