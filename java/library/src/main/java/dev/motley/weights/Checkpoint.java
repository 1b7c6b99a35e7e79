// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import dev.motley.InvalidInputException;
import dev.motley.files.FileFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

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
    Path place = locate(path);
    return Files.isDirectory(place) ? DiffusersCheckpoint.open(place, ema) : LdmCheckpoint.open(place, ema);
  }

  /** Opens a model with {@link Ema#AS_GIVEN}. */
  static Checkpoint open(Path path) {
    return open(path, Ema.AS_GIVEN);
  }

  /** The folder in diffusers' layout, or the file, that a path means. */
  private static Path locate(Path path) {
    if (!Files.exists(path)) {
      throw new InvalidInputException(path + ": no such model folder or file");
    }
    if (!Files.isDirectory(path) || Files.exists(path.resolve(DiffusersFolder.INDEX))) {
      return path;
    }
    List<Path> single;
    try (Stream<Path> files = Files.list(path)) {
      single = files.filter(Files::isRegularFile).filter(Checkpoint::looksSingle).sorted().toList();
    } catch (IOException e) {
      throw FileFailure.readingIn(path, e);
    }
    if (single.size() == 1) {
      return single.getFirst();
    }
    throw new InvalidInputException(
        path
            + ": no model folder: it has no "
            + DiffusersFolder.INDEX
            + (single.isEmpty() ? " and no .safetensors or .ckpt file" : "; name one of its files: " + names(single)));
  }

  private static boolean looksSingle(Path file) {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    return name.endsWith(".safetensors") || name.endsWith(".ckpt");
  }

  private static String names(List<Path> files) {
    int most = 4;
    String some = String.join(", ", files.stream().limit(most).map(file -> file.getFileName().toString()).toList());
    return Quote.line(files.size() > most ? some + ", ..." : some);
  }

  /**
   * The size a model was trained for, without opening a folder's weights.
   *
   * @return width and height in pixels; empty where the files do not say
   */
  static Optional<Integer> nativeSize(Path path) {
    Path place = locate(path);
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
    Path place = locate(path);
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

  /** The safety checker, where there is one. */
  Optional<SafetyChecker> safetyChecker();

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

  /** Closes the weight files. Idempotent. */
  @Override
  void close();
}
