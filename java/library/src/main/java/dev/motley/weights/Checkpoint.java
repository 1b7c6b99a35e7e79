// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import dev.motley.InvalidInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A text-to-image latent diffusion model on disk, in whichever form: configurations, and the weights of its networks by the classic names
 * of diffusers and transformers. Opening reads configurations and tables of contents; the weights stay in their files, which are mapped.
 */
public sealed interface Checkpoint extends AutoCloseable permits DiffusersCheckpoint, LdmCheckpoint {

  /**
   * Opens a model.
   *
   * @param path a folder in diffusers' layout, a single .safetensors or .ckpt file in the layout of the latent diffusion code, or a folder
   *     that holds one such file and nothing else of the kind
   * @param ema which of the UNet's weights
   * @throws InvalidInputException if a file is missing, damaged, of a model that is not supported, or does not fit the others; one line
   *     naming file and key
   * @throws dev.motley.ResourceException if a file cannot be read
   */
  static Checkpoint open(Path path, Ema ema) {
    Path place = ModelPath.locate(path);
    return Files.isDirectory(place) ? DiffusersCheckpoint.open(place, ema) : LdmCheckpoint.open(place, ema);
  }

  /** Opens a model with {@link Ema#AS_GIVEN}. */
  static Checkpoint open(Path path) {
    return open(path, Ema.AS_GIVEN);
  }

  /**
   * The size a model was trained for, without opening a folder's weights.
   *
   * @return width and height in pixels; empty where the files do not say
   */
  static Optional<Integer> nativeSize(Path path) {
    Path place = ModelPath.locate(path);
    if (Files.isDirectory(place)) {
      var folder = new DiffusersFolder(place, Ema.AS_GIVEN);
      folder.checkIndex();
      return nativeSize(folder.unetConfig(), folder.vaeConfig());
    }
    try (LdmCheckpoint checkpoint = LdmCheckpoint.open(place, Ema.AS_GIVEN)) {
      return checkpoint.nativeSize();
    }
  }

  /**
   * The most DDIM steps that a model's schedule has room for, without opening a folder's weights.
   *
   * @return 999 for Stable Diffusion's
   */
  static int maxSteps(Path path) {
    Path place = ModelPath.locate(path);
    if (Files.isDirectory(place)) {
      var folder = new DiffusersFolder(place, Ema.AS_GIVEN);
      folder.checkIndex();
      return folder.schedulerConfig().maxSteps();
    }
    try (LdmCheckpoint checkpoint = LdmCheckpoint.open(place, Ema.AS_GIVEN)) {
      return checkpoint.maxSteps();
    }
  }

  private static Optional<Integer> nativeSize(UNetConfig unet, VaeConfig vae) {
    int pixels = vae.downscale() * unet.sampleSize();
    return Optional.of(pixels > 0 ? pixels : vae.sampleSize()).filter(size -> size > 0);
  }

  /** Where the model lies: its folder or its file. */
  Path path();

  /** What form it has, in a few words. */
  String layout();

  UNetConfig unetConfig();

  VaeConfig vaeConfig();

  TextConfig textConfig();

  SchedulerConfig schedulerConfig();

  /**
   * The UNet's tensors by diffusers' names.
   *
   * @throws InvalidInputException if a tensor cannot be had
   */
  Part unet();

  /** The autoencoder's tensors by diffusers' present names, those of its attention as matrices. */
  Part vae();

  /** The text encoder's tensors by transformers' classic names ({@code text_model.embeddings...}). */
  Part textEncoder();

  /** The three networks that draw, in a fixed order. */
  default List<Part> parts() {
    return List.of(unet(), vae(), textEncoder());
  }

  /** Whether there is a safety checker; opens no weights. */
  boolean hasSafetyChecker();

  /**
   * The safety checker, where there is one.
   *
   * @throws InvalidInputException if its weights are missing or damaged
   */
  Optional<SafetyCheckerWeights> safetyChecker();

  /** Folder with the tokenizer's files; empty where the checkpoint has none, which then means CLIP's own. */
  Optional<Path> tokenizerFolder();

  /** The configurations as a diffusers folder holds them: text by path within the folder, {@code model_index.json} included. */
  Map<String, byte[]> configFiles();

  /** Width and height the model was trained for, in pixels; empty where its files do not say. */
  default Optional<Integer> nativeSize() {
    return nativeSize(unetConfig(), vaeConfig());
  }

  /** The most DDIM steps that the schedule has room for. */
  default int maxSteps() {
    return schedulerConfig().maxSteps();
  }

  /** Whether the networks have the shapes of Stable Diffusion v1, so that a single file can hold them. */
  default boolean isV1() {
    return LdmCheckpoint.hasShapeOf(this);
  }

  /**
   * Checks that each network has the tensors that its configuration asks for, and no others; reads none. A file that leaves a choice of
   * weights open which nobody made is good for a warning in the log.
   *
   * @throws InvalidInputException one line naming the file and the first of the tensors that are missing, of another shape or type, or too
   *     many
   */
  default void requireWhole() {
    PartCheck.requireWhole(this);
  }

  /** Closes the weight files. Idempotent. */
  @Override
  void close();
}
