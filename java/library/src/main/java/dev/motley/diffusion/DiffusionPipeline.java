// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import com.sun.management.OperatingSystemMXBean;
import dev.motley.InvalidInputException;
import dev.motley.Precision;
import dev.motley.Progress;
import dev.motley.ProgressListener;
import dev.motley.ResourceException;
import dev.motley.ffi.DdimConfig;
import dev.motley.ffi.NativeNoise;
import dev.motley.ffi.NativePrompts;
import dev.motley.ffi.NativeResources;
import dev.motley.ffi.NativeTextEncoder;
import dev.motley.ffi.NativeUNet;
import dev.motley.ffi.NativeVae;
import dev.motley.ffi.NativeWeights;
import dev.motley.ffi.SampleRequest;
import dev.motley.text.ClipTokenizer;
import dev.motley.weights.Checkpoint;
import dev.motley.weights.Ema;
import dev.motley.weights.ModelHash;
import dev.motley.weights.NativeTensors;
import dev.motley.weights.Part;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * A text-to-image latent diffusion model, loaded once: prompts in, pictures out, sampled with DDIM as the paper did. Holds native
 * memory: close it. {@link #denoise} is for one thread at a time; {@link #decode} may run on another at the same time.
 */
public final class DiffusionPipeline implements AutoCloseable {
  /**
   * So many activations of the decoder's second block at the picture's full size does a decoding take: 11 were measured at 512 and at
   * 1,024 pixels.
   */
  private static final int DECODER_ACTIVATIONS = 10;

  private static final double GIB = 1L << 30;

  private final NativeResources open = new NativeResources();
  private final NativeTextEncoder text;
  private final NativeUNet unet;
  private final NativeVae vae;
  private final PromptCache prompts;
  private final DdimConfig schedule;
  private final boolean clipSample;
  private final String hash;
  private final int nativeSize;
  private final double presentMemory;

  private DiffusionPipeline(Checkpoint checkpoint, Precision precision) {
    MemoryNeed.require(checkpoint, precision);
    var configs = new NativeConfigs(checkpoint, precision);
    ClipTokenizer tokenizer = ClipTokenizer.of(checkpoint);
    schedule = configs.schedule();
    clipSample = checkpoint.schedulerConfig().clipSample();
    nativeSize = configs.nativeSize();
    presentMemory = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize(); // takes milliseconds
    var hashes = new TreeMap<String, String>();
    try {
      text = open.add(make(checkpoint.textEncoder(), hashes, w -> NativeTextEncoder.create(configs.text(), w)));
      unet = open.add(make(checkpoint.unet(), hashes, w -> NativeUNet.create(configs.unet(), w)));
      vae = open.add(make(checkpoint.vae(), hashes, w -> NativeVae.create(configs.vae(), w)));
      hash = ModelHash.of(hashes, checkpoint, tokenizer.hash()).whole();
      prompts = open.add(new PromptCache(tokenizer, text, unet, configs.bytesPerPrompt()));
    } catch (RuntimeException e) {
      open.close();
      throw e;
    }
  }

  /** Hashes a network and makes it at once, while its pages are at hand. */
  private static <T> T make(Part part, Map<String, String> hashes, Function<NativeWeights, T> model) {
    hashes.put(part.name(), ModelHash.of(part));
    return NativeTensors.make(part.file().toString(), part.tensors().values(), model);
  }

  /**
   * Loads a model, whatever form it has.
   *
   * @param path a folder in diffusers' layout, or a single file in the layout of the latent diffusion code
   * @param precision what the networks compute in
   * @param ema which of the UNet's weights
   * @throws InvalidInputException if a file is missing, damaged, of another model or does not fit, in one line naming file and key
   * @throws ResourceException if the memory there is does not take it
   */
  public static DiffusionPipeline load(Path path, Precision precision, Ema ema) {
    try (Checkpoint checkpoint = Checkpoint.open(path, ema)) {
      return new DiffusionPipeline(checkpoint, precision);
    }
  }

  /** Loads a model with {@link Ema#AS_GIVEN}. */
  public static DiffusionPipeline load(Path path, Precision precision) {
    return load(path, precision, Ema.AS_GIVEN);
  }

  /** SHA-256 of everything in the model that decides a picture. */
  public String modelHash() {
    return hash;
  }

  /** Width and height the model was trained for, in pixels. */
  public int nativeSize() {
    return nativeSize;
  }

  /** Widths and heights must be multiples of this many pixels. */
  public int sizeMultiple() {
    return vae.config().scale() * unet.config().sizeMultiple();
  }

  /** Draws pictures: {@link #denoise}, then {@link #decode}. */
  public Pictures draw(List<ImageRequest> requests, SamplingOptions options, ProgressListener listener) {
    return decode(denoise(requests, options, listener), options.truncate());
  }

  /**
   * Encodes prompts that later calls will use, so that they are prepared together.
   *
   * @param texts prompts and negative prompts
   */
  public void prepare(List<String> texts) {
    prompts.prefetch(texts);
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
    if (requests.isEmpty()) {
      throw new InvalidInputException("a batch needs at least one image");
    }
    check(options);
    int n = requests.size();
    var texts = new LinkedHashSet<String>();
    for (ImageRequest request : requests) {
      texts.add(request.prompt());
      texts.add(request.negativePrompt());
    }
    NativePrompts prepared = prompts.require(texts);
    int[] prompt = new int[n];
    int[] negative = new int[n];
    float[] guidance = new float[n];
    float[] eta = new float[n];
    long[] seed = new long[n];
    long[] key = new long[n];
    for (int i = 0; i < n; i++) {
      ImageRequest request = requests.get(i);
      prompt[i] = prompts.index(request.prompt());
      negative[i] = prompts.index(request.negativePrompt());
      guidance[i] = request.guidance();
      eta[i] = request.eta();
      seed[i] = request.seed();
      key[i] = request.noiseKey();
    }
    int height = options.height() / vae.config().scale();
    int width = options.width() / vae.config().scale();
    Noise noise = Noise.of(requests, unet.config().inChannels() * height * width, options.steps());
    var request =
        new SampleRequest(
            height, width, options.steps(), clipSample, prompt, negative, guidance, eta, seed, key,
            noise.latents(), noise.steps());
    float[] values =
        unet.sample(
            prepared,
            schedule,
            request,
            steps(listener));
    return new Latents(n, height, width, values);
  }

  /** A listener that hears nothing costs nothing: no call from the native side, no object per step. */
  private static dev.motley.ffi.Progress steps(ProgressListener listener) {
    return listener == ProgressListener.NONE
        ? dev.motley.ffi.Progress.NONE
        : (done, total, _, _) ->
            listener.onProgress(new Progress("denoise", done, total, 0, "steps", ""));
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
   * @throws ResourceException if one picture of that size takes more memory than the machine has
   */
  public void check(SamplingOptions options) {
    int multiple = sizeMultiple();
    for (int size : new int[] {options.width(), options.height()}) {
      if (size < multiple || size % multiple != 0) {
        throw new InvalidInputException(
            "width and height must be multiples of " + multiple + " pixels for this model, got "
                + options.width() + "x" + options.height());
      }
    }
    if (options.steps() > schedule.maxSteps()) {
      throw new InvalidInputException(
          "steps must be from 1 to " + schedule.maxSteps() + ", got " + options.steps());
    }
    requireMemory(options);
  }

  /** The system grants memory that it does not have, and then ends some process, not always this one. */
  private void requireMemory(SamplingOptions options) {
    List<Integer> channels = vae.config().blockChannels();
    int bytes = vae.config().precision() == Precision.FP32 ? Float.BYTES : Float.BYTES / 2;
    double needed =
        (double) DECODER_ACTIVATIONS * bytes * channels.get(Math.min(1, channels.size() - 1)) * options.width() * options.height();
    if (needed > presentMemory) {
      throw new ResourceException(
          "a picture of %dx%d pixels takes about %.0f GiB of memory, this machine has %.0f: draw smaller ones"
              .formatted(options.width(), options.height(), needed / GIB, presentMemory / GIB));
    }
  }

  @Override
  public void close() {
    open.close();
  }

  /**
   * Noise that is drawn here because the native sampler only draws Philox: both arrays are empty when all requests use Philox.
   *
   * @param latents (batch, elements)
   * @param steps (steps, batch, elements), where an image has eta above 0
   */
  private record Noise(float[] latents, float[] steps) {

    static Noise of(List<ImageRequest> requests, int elements, int steps) {
      boolean torch = requests.stream().anyMatch(r -> r.noise() == NoiseGenerator.TORCH);
      if (!torch) {
        return new Noise(new float[0], new float[0]);
      }
      int n = requests.size();
      boolean stochastic = requests.stream().anyMatch(r -> r.eta() > 0);
      float[] latents = new float[Math.multiplyExact(n, elements)];
      float[] later = new float[stochastic ? Math.multiplyExact(Math.multiplyExact(steps, n), elements) : 0];
      for (int i = 0; i < n; i++) {
        ImageRequest request = requests.get(i);
        boolean own = request.noise() == NoiseGenerator.TORCH;
        int draws = request.eta() > 0 ? 1 + steps : 1;
        // One generator per image draws the latents, then one tensor a step, as diffusers does.
        float[] drawn = own ? NativeNoise.torch(request.seed(), draws * elements) : new float[0];
        for (int d = 0; d < draws; d++) {
          float[] part = own ? drawn : NativeNoise.philox(request.seed(), request.noiseKey(), d, elements);
          int from = own ? d * elements : 0;
          float[] to = d == 0 ? latents : later;
          int at = d == 0 ? i * elements : ((d - 1) * n + i) * elements;
          System.arraycopy(part, from, to, at, elements);
        }
      }
      return new Noise(latents, later);
    }
  }
}
