// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import dev.motley.InvalidInputException;
import dev.motley.Precision;
import dev.motley.Progress;
import dev.motley.ProgressListener;
import dev.motley.ResourceException;
import dev.motley.ffi.AvailableMemory;
import dev.motley.ffi.DdimConfig;
import dev.motley.ffi.NativeNoise;
import dev.motley.ffi.NativePrompts;
import dev.motley.ffi.NativeResources;
import dev.motley.ffi.NativeRuntime;
import dev.motley.ffi.NativeTextEncoder;
import dev.motley.ffi.NativeUNet;
import dev.motley.ffi.NativeVae;
import dev.motley.ffi.SampleRequest;
import dev.motley.image.RgbImage;
import dev.motley.text.ClipTokenizer;
import dev.motley.weights.Checkpoint;
import dev.motley.weights.Ema;
import dev.motley.weights.ModelHash;
import dev.motley.weights.Part;
import dev.motley.weights.SafetyCheckerWeights;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.LongSupplier;

/**
 * A text-to-image latent diffusion model, loaded once: prompts in, pictures out, sampled with DDIM as the paper did. Holds native
 * memory: close it. {@link #denoise} is for one thread at a time; {@link #decode} may run on another at the same time.
 */
public final class DiffusionPipeline implements AutoCloseable {
  /** diffusers' DiagonalGaussianDistribution keeps log variances in this range. */
  private static final double LOWEST_LOGVAR = -30;

  private static final double HIGHEST_LOGVAR = 20;

  /** Of the noise of {@link #encode}: no step's. */
  private static final long ENCODER_DRAW = 0xffff_ffffL;

  private final NativeResources open = new NativeResources();
  private final NativeTextEncoder text;
  private final NativeUNet unet;
  private final NativeVae vae;
  private final Optional<SafetyChecker> checker;
  private final PromptCache prompts;
  private final DdimConfig schedule;
  private final boolean clipSample;
  private final String hash;
  private final int nativeSize;
  private final Limits limits;
  private final MemoryNeed need;

  /** Pixels of the largest picture that there was memory for: what it took stays in the native pool. */
  private volatile long granted;

  private DiffusionPipeline(
      Checkpoint checkpoint,
      Precision precision,
      boolean safety,
      List<SamplingOptions> wanted,
      LongSupplier memory,
      ProgressListener listener) {
    limits = Limits.of(checkpoint);
    wanted.forEach(limits::check);
    checkpoint.requireWhole();
    Optional<SafetyCheckerWeights> found = safety ? Optional.of(requireChecker(checkpoint)) : Optional.empty();
    List<Part> parts = new ArrayList<>(checkpoint.parts());
    found.ifPresent(one -> parts.add(one.part()));
    need = new MemoryNeed(checkpoint.unetConfig(), checkpoint.vaeConfig(), precision);
    Optional<SamplingOptions> largest = wanted.stream().max(Comparator.comparingLong(DiffusionPipeline::pixels));
    need.requireForLoading(checkpoint.path(), parts, largest, memory.getAsLong());
    granted = largest.map(DiffusionPipeline::pixels).orElse(0L);
    var configs = new NativeConfigs(checkpoint, precision);
    ClipTokenizer tokenizer = ClipTokenizer.of(checkpoint);
    schedule = configs.schedule();
    clipSample = checkpoint.schedulerConfig().clipSample();
    nativeSize = configs.nativeSize();
    var loading = new Loading(checkpoint.path(), parts, listener);
    try {
      checker = found.map(one -> open.add(loading.make(one.part(), () -> SafetyChecker.of(one, precision)))); // first: what is wrong with it is said at once
      text = open.add(loading.make(checkpoint.textEncoder(), w -> NativeTextEncoder.create(configs.text(), w)));
      unet = open.add(loading.make(checkpoint.unet(), w -> NativeUNet.create(configs.unet(), w)));
      vae = open.add(loading.make(checkpoint.vae(), w -> NativeVae.create(configs.vae(), w)));
      hash = ModelHash.of(loading.hashes(), checkpoint, tokenizer.hash()).whole();
      prompts = open.add(new PromptCache(tokenizer, text, unet, configs.bytesPerToken()));
      loading.finish();
    } catch (RuntimeException | Error e) {
      open.close();
      throw e;
    }
  }

  private static long pixels(SamplingOptions options) {
    return (long) options.width() * options.height();
  }

  private static SafetyCheckerWeights requireChecker(Checkpoint checkpoint) {
    return checkpoint
        .safetyChecker()
        .orElseThrow(
            () ->
                new InvalidInputException(
                    checkpoint.path()
                        + ": has no safety checker (safety_checker/ of a diffusers folder), so its pictures cannot be checked"));
  }

  /**
   * Loads a model, whatever form it has.
   *
   * @param path a folder in diffusers' layout, or a single file in the layout of the latent diffusion code
   * @param precision what the networks compute in
   * @param ema which of the UNet's weights
   * @param safety whether its safety checker is loaded, too
   * @param wanted what it is to draw, checked before anything is loaded; may be empty
   * @param listener hears how much of the weights is loaded; may stop
   * @throws InvalidInputException if a file is missing, damaged, of another model or does not fit, in one line naming file and key;
   *     if there is no safety checker, but one is asked for; or if it cannot draw what is wanted
   * @throws ResourceException if the memory that is available does not take it, and with it one picture of the largest size that is wanted
   * @throws dev.motley.CancelledException if the listener stopped it
   */
  public static DiffusionPipeline load(
      Path path, Precision precision, Ema ema, boolean safety, List<SamplingOptions> wanted, ProgressListener listener) {
    return load(path, precision, ema, safety, wanted, listener, AvailableMemory::bytes);
  }

  static DiffusionPipeline load(
      Path path,
      Precision precision,
      Ema ema,
      boolean safety,
      List<SamplingOptions> wanted,
      ProgressListener listener,
      LongSupplier memory) {
    try (Checkpoint checkpoint = Checkpoint.open(path, ema)) {
      return new DiffusionPipeline(checkpoint, precision, safety, wanted, memory, listener);
    }
  }

  /** Loads a model for pictures of any size: the memory that one takes is asked for when it is drawn. */
  public static DiffusionPipeline load(Path path, Precision precision, Ema ema, boolean safety) {
    return load(path, precision, ema, safety, List.of(), ProgressListener.NONE);
  }

  /** Loads a model without its safety checker. */
  public static DiffusionPipeline load(Path path, Precision precision, Ema ema) {
    return load(path, precision, ema, false);
  }

  /** Loads a model with {@link Ema#AS_GIVEN}, without its safety checker. */
  public static DiffusionPipeline load(Path path, Precision precision) {
    return load(path, precision, Ema.AS_GIVEN);
  }

  /** What looks at pictures, where the model was loaded with it; for one thread at a time. */
  public Optional<SafetyChecker> safetyChecker() {
    return checker;
  }

  /** SHA-256 of everything in the model that decides a picture. */
  public String modelHash() {
    return hash;
  }

  /** Width and height the model was trained for, in pixels; 0 where its files do not say. */
  public int nativeSize() {
    return nativeSize;
  }

  /** Widths and heights must be multiples of this many pixels. */
  public int sizeMultiple() {
    return limits.sizeMultiple();
  }

  /** Draws pictures: {@link #denoise}, then {@link #decode}. */
  public Pictures draw(List<ImageRequest> requests, SamplingOptions options, ProgressListener listener) {
    return decode(denoise(requests, options, listener), options.truncate());
  }

  /**
   * Encodes prompts that later calls will use, so that they are prepared together.
   *
   * @param conditionings prompts and negative prompts
   */
  public void prepare(List<? extends Conditioning> conditionings) {
    prompts.prefetch(conditionings);
  }

  /** A text as the UNet attends to it, for mixtures. */
  public Conditioning.Embedding embed(String prompt) {
    return new Conditioning.Embedding(text.config().positions(), prompts.states(List.of(prompt)).getFirst());
  }

  /**
   * Runs the sampler.
   *
   * @param requests the batch, at least one
   * @param options size and steps
   * @param listener hears every step; may stop
   * @throws dev.motley.CancelledException if the listener stopped it
   */
  public Latents denoise(List<ImageRequest> requests, SamplingOptions options, ProgressListener listener) {
    return denoise(requests, options, (prepared, request) -> unet.sample(prepared, schedule, request, steps(listener)));
  }

  /** The same, showing after every step what the pictures are going to be. */
  public Latents denoise(List<ImageRequest> requests, SamplingOptions options, StepListener listener) {
    return denoise(
        requests,
        options,
        (prepared, request) ->
            unet.sample(
                prepared,
                schedule,
                request,
                (NativeUNet.Preview)
                    (done, total, values) ->
                        listener.onStep(done, total, new Latents(request.batch(), request.height(), request.width(), values))));
  }

  private Latents denoise(
      List<ImageRequest> requests, SamplingOptions options, BiFunction<NativePrompts, SampleRequest, float[]> sampler) {
    if (requests.isEmpty()) {
      throw new InvalidInputException("a batch needs at least one image");
    }
    check(options);
    int n = requests.size();
    var conditionings = new LinkedHashSet<Conditioning>();
    for (ImageRequest request : requests) {
      conditionings.add(request.prompt());
      conditionings.add(request.negative());
    }
    NativePrompts prepared = prompts.require(conditionings);
    int[] prompt = new int[n];
    int[] negative = new int[n];
    float[] guidance = new float[n];
    float[] eta = new float[n];
    long[] seed = new long[n];
    long[] key = new long[n];
    for (int i = 0; i < n; i++) {
      ImageRequest request = requests.get(i);
      prompt[i] = prompts.index(request.prompt());
      negative[i] = prompts.index(request.negative());
      guidance[i] = request.guidance();
      eta[i] = request.eta();
      seed[i] = request.seed();
      key[i] = request.noiseKey();
    }
    int height = options.height() / vae.config().scale();
    int width = options.width() / vae.config().scale();
    var starts = new Starts(requests, unet.config().inChannels(), height, width);
    Starts.Noise noise = starts.noise(options);
    var request =
        new SampleRequest(
            height, width, options.steps(), clipSample, prompt, negative, guidance, eta, seed, key,
            noise.latents(), noise.steps(), starts.images(options), options.firstStep(), Set.of());
    return new Latents(n, height, width, sampler.apply(prepared, request));
  }

  /** A listener that hears nothing costs nothing: no call from the native side, no object per step. */
  private static dev.motley.ffi.Progress steps(ProgressListener listener) {
    return listener == ProgressListener.NONE
        ? dev.motley.ffi.Progress.NONE
        : (done, total, _, _) ->
            listener.onProgress(new Progress("denoise", done, total, 0, "steps", ""));
  }

  /**
   * Encodes pictures to latents that requests can begin from: the mean of each picture's distribution.
   *
   * @param pictures of one size, a multiple of {@link #sizeMultiple}
   */
  public Latents encode(List<RgbImage> pictures) {
    return encode(pictures, Optional.empty());
  }

  /**
   * The same, sampled from each picture's distribution.
   *
   * @param seed of the noise; the i-th picture takes its stream i
   */
  public Latents encode(List<RgbImage> pictures, long seed) {
    return encode(pictures, Optional.of(seed));
  }

  private Latents encode(List<RgbImage> pictures, Optional<Long> seed) {
    if (pictures.isEmpty()) {
      throw new InvalidInputException("no pictures to encode");
    }
    RgbImage first = pictures.getFirst();
    int size = 3 * first.height() * first.width();
    float[] values = new float[Math.multiplyExact(pictures.size(), size)];
    for (int p = 0; p < pictures.size(); p++) {
      RgbImage picture = pictures.get(p);
      if (picture.height() != first.height() || picture.width() != first.width()) {
        throw new InvalidInputException("pictures of %s and %s cannot be encoded together".formatted(size(first), size(picture)));
      }
      for (int i = 0; i < size; i++) {
        int at = p * size + i % 3 * (size / 3) + i / 3; // (3, height, width)
        values[at] = (picture.pixels()[i] & 0xff) / 127.5f - 1;
      }
    }
    NativeVae.Moments moments = vae.encode(first.height(), first.width(), values);
    float[] latents = moments.mean();
    int each = latents.length / pictures.size();
    for (int p = 0; seed.isPresent() && p < pictures.size(); p++) {
      float[] noise = NativeNoise.philox(seed.get(), p, ENCODER_DRAW, each);
      for (int i = 0; i < each; i++) {
        double logvar = Math.clamp(moments.logvar()[p * each + i], LOWEST_LOGVAR, HIGHEST_LOGVAR);
        latents[p * each + i] += (float) (Math.exp(logvar / 2) * noise[i]);
      }
    }
    for (int i = 0; i < latents.length; i++) {
      latents[i] *= (float) vae.config().scalingFactor();
    }
    int scale = vae.config().scale();
    return new Latents(pictures.size(), first.height() / scale, first.width() / scale, latents);
  }

  private static String size(RgbImage picture) {
    return picture.width() + "x" + picture.height();
  }

  /**
   * Decodes latents to pictures.
   *
   * @param latents as {@link #denoise} gives them
   * @param truncate whether values are cut to bytes instead of rounded
   */
  public Pictures decode(Latents latents, boolean truncate) {
    NativeVae.Pixels pixels =
        vae.decodePixels(
            latents.height(),
            latents.width(),
            latents.values(),
            truncate ? NativeVae.Quantisation.TRUNCATE : NativeVae.Quantisation.ROUND);
    List<Quality> quality = Arrays.stream(pixels.flags()).mapToObj(DiffusionPipeline::quality).toList();
    int scale = vae.config().scale();
    return new Pictures(
        latents.count(), latents.height() * scale, latents.width() * scale, pixels.values(), quality);
  }

  private static Quality quality(int flags) {
    if ((flags & NativeVae.NOT_FINITE) != 0) {
      return Quality.NOT_FINITE;
    }
    return (flags & NativeVae.CONSTANT) != 0 ? Quality.CONSTANT : Quality.GOOD;
  }

  /**
   * Checks whether this model can draw so.
   *
   * @throws InvalidInputException if the size or the number of steps does not suit it
   * @throws ResourceException if one picture of that size takes more memory than is available
   */
  public void check(SamplingOptions options) {
    limits.check(options);
    if (pixels(options) > granted) {
      need.requireForDrawing(options, AvailableMemory.bytes() + NativeRuntime.pooledBytes());
      granted = pixels(options);
    }
  }

  @Override
  public void close() {
    open.close();
  }
}
