// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import dev.motley.InvalidInputException;
import dev.motley.files.FileFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * Where things lie in a diffusers folder, and how they are spelt there. Every method looks at one thing, so that a damaged folder still
 * shows the rest of it.
 *
 * @param path of the folder
 * @param ema which of the UNet's files
 */
record DiffusersFolder(Path path, Ema ema) {
  static final String INDEX = "model_index.json";

  /** The parts that have a configuration, and where it lies. */
  static final List<String> CONFIGS =
      List.of(
          "unet/config.json", "vae/config.json", "text_encoder/config.json", "scheduler/scheduler_config.json");

  private static final String DIFFUSERS_STEM = "diffusion_pytorch_model";
  private static final String TEXT_PREFIX = "text_model.";
  private static final String VISION_PREFIX = "vision_model.";
  private static final Map<String, String> OLD_VAE_ATTENTION =
      Map.of("query", "to_q", "key", "to_k", "value", "to_v", "proj_attn", "to_out.0");

  /** Refuses what is no folder of a Stable Diffusion v1 pipeline. */
  void checkIndex() {
    if (!Files.isDirectory(path)) {
      throw new InvalidInputException(path + ": no such model folder");
    }
    ConfigFile index = ConfigFile.read(path.resolve(INDEX));
    ModelKind.ofPipeline(index).ifPresent(kind -> {
      throw index.foreign("_class_name", kind);
    });
    requireClass(index, "unet", "UNet2DConditionModel");
    requireClass(index, "vae", "AutoencoderKL");
    requireClass(index, "text_encoder", "CLIPTextModel");
    if (Files.exists(config("unet")) && Files.exists(config("text_encoder"))) {
      ModelKind.requireV1(index, ConfigFile.read(config("unet")), ConfigFile.read(config("text_encoder")));
    }
  }

  private static void requireClass(ConfigFile index, String part, String expected) {
    if (!index.node(part).path(1).asText().equals(expected)) {
      throw index.unsupported(part, index.node(part), expected);
    }
  }

  private Path config(String part) {
    return path.resolve(part).resolve("config.json");
  }

  UNetConfig unetConfig() {
    return UNetConfig.read(config("unet"));
  }

  VaeConfig vaeConfig() {
    return VaeConfig.read(config("vae"));
  }

  TextConfig textConfig() {
    return TextConfig.read(config("text_encoder"));
  }

  SchedulerConfig schedulerConfig() {
    return SchedulerConfig.read(path.resolve("scheduler/scheduler_config.json"));
  }

  /** Refuses configurations of parts that do not fit each other. */
  void checkParts(UNetConfig unet, VaeConfig vae, TextConfig text) {
    agree("in_channels", unet.inChannels(), "vae", "latent_channels", vae.latentChannels());
    agree("out_channels", unet.outChannels(), "vae", "latent_channels", vae.latentChannels());
    agree("cross_attention_dim", unet.crossAttentionDim(), "text_encoder", "hidden_size", text.width());
  }

  private void agree(String key, int value, String otherPart, String otherKey, int other) {
    if (value != other) {
      throw new InvalidInputException(
          "%s: %s is %d, but %s of %s is %d".formatted(config("unet"), key, value, otherKey, otherPart, other));
    }
  }

  TensorFile openUnet() {
    return open("unet", DIFFUSERS_STEM, DIFFUSERS_STEM, ema);
  }

  TensorFile openVae() {
    return open("vae", DIFFUSERS_STEM, DIFFUSERS_STEM, Ema.AS_GIVEN);
  }

  TensorFile openTextEncoder() {
    return open("text_encoder", "model", "pytorch_model", Ema.AS_GIVEN);
  }

  TensorFile openSafetyChecker() {
    return open("safety_checker", "model", "pytorch_model", Ema.AS_GIVEN);
  }

  boolean hasSafetyChecker() {
    return Files.exists(config("safety_checker"));
  }

  VisionConfig safetyCheckerConfig() {
    return VisionConfig.read(config("safety_checker"));
  }

  /** Whether there is a UNet's file that is marked as not averaged. */
  boolean hasNonEma() {
    return candidates(DIFFUSERS_STEM, DIFFUSERS_STEM, ".non_ema").stream()
        .anyMatch(name -> Files.isRegularFile(path.resolve("unet").resolve(name)));
  }

  Part unet(TensorFile file) {
    return part("unet", file, UnaryOperator.identity());
  }

  Part vae(TensorFile file) {
    return part("vae", file, DiffusersFolder::vaeName);
  }

  Part textEncoder(TensorFile file) {
    return part("text_encoder", file, name -> name.startsWith(TEXT_PREFIX) ? name : TEXT_PREFIX + name);
  }

  Part safetyChecker(TensorFile file) {
    return part("safety_checker", file, DiffusersFolder::visionName);
  }

  /** Full precision before half, safetensors before pickles, whole files before split ones. */
  private TensorFile open(String part, String stem, String pickleStem, Ema which) {
    Path folder = path.resolve(part);
    List<String> names = new ArrayList<>();
    if (which == Ema.PLAIN) {
      names.addAll(candidates(stem, pickleStem, ".non_ema"));
    } else {
      names.addAll(candidates(stem, pickleStem, ""));
    }
    for (String name : names) {
      if (Files.isRegularFile(folder.resolve(name))) {
        return TensorFiles.open(folder.resolve(name));
      }
    }
    throw new InvalidInputException(
        which == Ema.PLAIN
            ? folder + ": no weights without averaging, expected " + names.getFirst()
            : folder + ": no weights, expected " + names.getFirst() + ", " + names.get(1) + " or " + names.get(2));
  }

  private static List<String> candidates(String stem, String pickleStem, String variant) {
    List<String> names = new ArrayList<>();
    List<String> precisions = variant.isEmpty() ? List.of("", ".fp16") : List.of(variant);
    for (String kind : precisions) {
      names.add(stem + kind + ".safetensors");
      names.add(stem + ".safetensors.index" + kind + ".json");
    }
    for (String kind : precisions) {
      names.add(pickleStem + kind + ".bin");
      names.add(pickleStem + ".bin.index" + kind + ".json");
    }
    return names;
  }

  private static Part part(String part, TensorFile file, UnaryOperator<String> rule) {
    Map<String, TensorView> named = new LinkedHashMap<>();
    for (String name : file.names()) {
      if (name.endsWith("position_ids")) {
        continue; // 0, 1, 2, ...: a buffer that some versions store
      }
      String classic = rule.apply(name);
      TensorView tensor = asMatrix(file.tensor(name).renamed(classic));
      if (named.put(classic, tensor) != null) {
        throw new InvalidInputException(file.file() + ": two tensors mean " + Quote.of(classic));
      }
    }
    return new Part(part, file.file(), named);
  }

  /** The matrices of the autoencoder's attention are matrices even where they are stored as 1 x 1 convolutions. */
  static TensorView asMatrix(TensorView tensor) {
    long[] shape = tensor.shape();
    boolean stored = shape.length == 4 && shape[2] == 1 && shape[3] == 1;
    return stored && tensor.name().contains(".mid_block.attentions.0.to_")
        ? tensor.reshaped(shape[0], shape[1])
        : tensor;
  }

  /** {@code ...attentions.0.query.weight -> ...attentions.0.to_q.weight}; other names as they are. */
  static String vaeName(String name) {
    int last = name.lastIndexOf('.');
    int before = name.lastIndexOf('.', last - 1);
    if (before < 0 || !name.contains(".attentions.")) {
      return name;
    }
    String renamed = OLD_VAE_ATTENTION.get(name.substring(before + 1, last));
    return renamed == null ? name : name.substring(0, before + 1) + renamed + name.substring(last);
  }

  /** The vision tower sat two levels deep, then one. */
  private static String visionName(String name) {
    return name.startsWith(VISION_PREFIX) && !name.startsWith(VISION_PREFIX + VISION_PREFIX)
        ? VISION_PREFIX + name
        : name;
  }

  /** The configurations that are there, and the index. */
  Map<String, byte[]> configFiles() {
    Map<String, byte[]> texts = new TreeMap<>();
    for (String name : CONFIGS) {
      texts.put(name, bytes(path.resolve(name)));
    }
    texts.put(INDEX, bytes(path.resolve(INDEX)));
    return texts;
  }

  private static byte[] bytes(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw FileFailure.reading(file, e);
    }
  }
}
