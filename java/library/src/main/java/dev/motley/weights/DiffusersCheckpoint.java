// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import dev.motley.InvalidInputException;
import dev.motley.ResourceException;
import dev.motley.files.FileFailure;
import dev.motley.files.Sha256;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * A latent diffusion model in diffusers' folder layout: {@code model_index.json} and the parts
 * {@code unet/}, {@code vae/}, {@code text_encoder/}, {@code tokenizer/}, {@code scheduler/}.
 * Shapes come from the parts' configuration files; the weights are memory-mapped safetensors, full
 * precision preferred, else the {@code fp16} variant.
 *
 * <p>Tensors are given by the classic diffusers and transformers names, whichever spelling the file
 * has: {@code text_model.} in front of the text encoder's, {@code to_q}, {@code to_k}, {@code
 * to_v}, {@code to_out.0} in the autoencoder's attention; position id buffers are left out.
 */
public final class DiffusersCheckpoint implements AutoCloseable {
  private static final String INDEX = "model_index.json";
  private static final String TEXT_PREFIX = "text_model.";
  private static final Map<String, String> OLD_VAE_ATTENTION =
      Map.of("query", "to_q", "key", "to_k", "value", "to_v", "proj_attn", "to_out.0");

  private final Path folder;
  private final UNetConfig unetConfig;
  private final VaeConfig vaeConfig;
  private final TextConfig textConfig;
  private final SchedulerConfig schedulerConfig;
  private final SafeTensors unet;
  private final SafeTensors vae;
  private final SafeTensors text;
  private final List<Path> weightFiles;

  private DiffusersCheckpoint(Path folder) {
    this.folder = folder;
    checkIndex(folder);
    unetConfig = UNetConfig.read(folder.resolve("unet/config.json"));
    vaeConfig = VaeConfig.read(folder.resolve("vae/config.json"));
    textConfig = TextConfig.read(folder.resolve("text_encoder/config.json"));
    schedulerConfig = SchedulerConfig.read(folder.resolve("scheduler/scheduler_config.json"));
    checkParts();
    weightFiles =
        List.of(
            findWeights(folder.resolve("unet"), "diffusion_pytorch_model"),
            findWeights(folder.resolve("vae"), "diffusion_pytorch_model"),
            findWeights(folder.resolve("text_encoder"), "model"));
    unet = SafeTensors.open(weightFiles.get(0));
    vae = SafeTensors.open(weightFiles.get(1));
    text = SafeTensors.open(weightFiles.get(2));
  }

  /**
   * Opens a model folder; reads configurations and headers, no weights yet.
   *
   * @throws InvalidInputException if a file is missing, damaged, not supported, or does not fit the
   *     others; one line naming file and key
   * @throws ResourceException if a file cannot be read
   */
  public static DiffusersCheckpoint open(Path folder) {
    return new DiffusersCheckpoint(folder);
  }

  /** Where the model lies. */
  public Path folder() {
    return folder;
  }

  public UNetConfig unetConfig() {
    return unetConfig;
  }

  public VaeConfig vaeConfig() {
    return vaeConfig;
  }

  /**
   * The size a model was trained for, from its configuration files alone.
   *
   * @return width and height in pixels; empty where the files do not say
   */
  public static Optional<Integer> nativeSize(Path folder) {
    checkIndex(folder);
    return nativeSize(
        UNetConfig.read(folder.resolve("unet/config.json")),
        VaeConfig.read(folder.resolve("vae/config.json")));
  }

  /** The same of this checkpoint. */
  public Optional<Integer> nativeSize() {
    return nativeSize(unetConfig, vaeConfig);
  }

  private static Optional<Integer> nativeSize(UNetConfig unet, VaeConfig vae) {
    int pixels = vae.downscale() * unet.sampleSize();
    return Optional.of(pixels > 0 ? pixels : vae.sampleSize()).filter(size -> size > 0);
  }

  /**
   * The most DDIM steps that a model's schedule has room for, from its configuration file alone.
   *
   * @return 999 for Stable Diffusion's
   */
  public static int maxSteps(Path folder) {
    checkIndex(folder);
    SchedulerConfig scheduler = SchedulerConfig.read(folder.resolve("scheduler/scheduler_config.json"));
    return scheduler.numTrainTimesteps() - scheduler.stepsOffset();
  }

  public TextConfig textConfig() {
    return textConfig;
  }

  public SchedulerConfig schedulerConfig() {
    return schedulerConfig;
  }

  /** The UNet's tensors by diffusers' names. */
  public Map<String, TensorView> unet() {
    return rename(unet, UnaryOperator.identity());
  }

  /** The autoencoder's tensors by diffusers' present names. */
  public Map<String, TensorView> vae() {
    return rename(vae, DiffusersCheckpoint::vaeName);
  }

  /**
   * The text encoder's tensors by transformers' classic names ({@code text_model.embeddings...}).
   */
  public Map<String, TensorView> textEncoder() {
    return rename(text, name -> name.startsWith(TEXT_PREFIX) ? name : TEXT_PREFIX + name);
  }

  /** The file of {@link #unet}'s tensors. */
  public Path unetFile() {
    return weightFiles.get(0);
  }

  /** The file of {@link #vae}'s tensors. */
  public Path vaeFile() {
    return weightFiles.get(1);
  }

  /** The file of {@link #textEncoder}'s tensors. */
  public Path textEncoderFile() {
    return weightFiles.get(2);
  }

  /** Folder with the tokenizer's files. */
  public Path tokenizerFolder() {
    return folder.resolve("tokenizer");
  }

  /**
   * SHA-256, in hexadecimal, over name, length and bytes of everything that decides a picture: the
   * four configurations, the weights used, and the tokenizer's files. Reads all of it, so it takes
   * seconds for a model of several gigabytes.
   *
   * @throws ResourceException if a file cannot be read
   */
  public String hash() {
    List<Path> files = new ArrayList<>(weightFiles);
    for (String name : List.of("unet", "vae", "text_encoder")) {
      files.add(folder.resolve(name).resolve("config.json"));
    }
    files.add(folder.resolve("scheduler/scheduler_config.json"));
    try {
      if (Files.isDirectory(tokenizerFolder())) {
        try (Stream<Path> tokenizer = Files.list(tokenizerFolder())) {
          tokenizer.filter(Files::isRegularFile).forEach(files::add);
        }
      }
      Collections.sort(files);
      MessageDigest digest = Sha256.begin();
      for (Path file : files) {
        update(digest, file);
      }
      return Sha256.hex(digest);
    } catch (IOException e) {
      throw FileFailure.readingIn(folder, e);
    }
  }

  /** Closes the weight files. Idempotent. */
  @Override
  public void close() {
    unet.close();
    vae.close();
    text.close();
  }

  private void update(MessageDigest digest, Path file) throws IOException {
    String name = folder.relativize(file).toString().replace('\\', '/');
    digest.update((name + "\n" + Files.size(file) + "\n").getBytes(StandardCharsets.UTF_8));
    Sha256.feed(digest, file);
  }

  private static void checkIndex(Path folder) {
    if (!Files.isDirectory(folder)) {
      throw new InvalidInputException(folder + ": no such model folder");
    }
    ConfigFile index = ConfigFile.read(folder.resolve(INDEX));
    requireClass(index, "unet", "UNet2DConditionModel");
    requireClass(index, "vae", "AutoencoderKL");
    requireClass(index, "text_encoder", "CLIPTextModel");
    if (index.node("text_encoder_2").path(1).isTextual()) {
      throw index.unsupported(
          "text_encoder_2", index.node("text_encoder_2"), "a model with one text encoder");
    }
  }

  private static void requireClass(ConfigFile index, String part, String expected) {
    if (!index.node(part).path(1).asText().equals(expected)) {
      throw index.unsupported(part, index.node(part), expected);
    }
  }

  /** Numbers that two parts must agree on. */
  private void checkParts() {
    agree(
        "unet",
        "in_channels",
        unetConfig.inChannels(),
        "vae",
        "latent_channels",
        vaeConfig.latentChannels());
    agree(
        "unet",
        "out_channels",
        unetConfig.outChannels(),
        "vae",
        "latent_channels",
        vaeConfig.latentChannels());
    agree(
        "unet",
        "cross_attention_dim",
        unetConfig.crossAttentionDim(),
        "text_encoder",
        "hidden_size",
        textConfig.width());
  }

  private void agree(
      String part, String key, int value, String otherPart, String otherKey, int other) {
    if (value != other) {
      throw new InvalidInputException(
          folder.resolve(part).resolve("config.json")
              + ": "
              + key
              + " is "
              + value
              + ", but "
              + otherKey
              + " of "
              + otherPart
              + " is "
              + other);
    }
  }

  private static Path findWeights(Path part, String stem) {
    List<String> names = List.of(stem + ".safetensors", stem + ".fp16.safetensors");
    for (String name : names) {
      if (Files.isRegularFile(part.resolve(name))) {
        return part.resolve(name);
      }
    }
    String hint = "";
    if (Files.exists(part.resolve(stem + ".safetensors.index.json"))) {
      hint = "; weights split into several files are not supported";
    } else if (Files.exists(part.resolve("diffusion_pytorch_model.bin"))
        || Files.exists(part.resolve("pytorch_model.bin"))) {
      hint = "; pickled .bin weights are not supported in this layout, convert them to safetensors";
    }
    throw new InvalidInputException(
        part + ": no weights, expected " + String.join(" or ", names) + hint);
  }

  private static Map<String, TensorView> rename(SafeTensors file, UnaryOperator<String> rule) {
    Map<String, TensorView> named = new LinkedHashMap<>();
    for (String name : file.names()) {
      if (name.endsWith("position_ids")) {
        continue; // 0, 1, 2, ...: a buffer that some versions store
      }
      String classic = rule.apply(name);
      if (named.put(classic, file.tensor(name).renamed(classic)) != null) {
        throw new InvalidInputException(file + ": two tensors mean " + Quote.of(classic));
      }
    }
    return Collections.unmodifiableMap(named);
  }

  /**
   * {@code ...attentions.0.query.weight -> ...attentions.0.to_q.weight}; other names as they are.
   */
  static String vaeName(String name) {
    int last = name.lastIndexOf('.');
    int before = name.lastIndexOf('.', last - 1);
    if (before < 0 || !name.contains(".attentions.")) {
      return name;
    }
    String renamed = OLD_VAE_ATTENTION.get(name.substring(before + 1, last));
    return renamed == null ? name : name.substring(0, before + 1) + renamed + name.substring(last);
  }
}
