// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import dev.motley.InvalidInputException;
import dev.motley.ResourceException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * A latent diffusion model in diffusers' folder layout: {@code model_index.json} and the parts
 * {@code unet/}, {@code vae/}, {@code text_encoder/}, {@code tokenizer/}, {@code scheduler/}, perhaps
 * {@code safety_checker/}. Shapes come from the parts' configuration files; the weights are memory-mapped
 * safetensors, whole or split, full precision preferred, else the {@code fp16} variant, else pickles.
 *
 * <p>Tensors are given by the classic diffusers and transformers names, whichever spelling the file
 * has: {@code text_model.} in front of the text encoder's, {@code to_q}, {@code to_k}, {@code
 * to_v}, {@code to_out.0} in the autoencoder's attention; position id buffers are left out.
 */
public final class DiffusersCheckpoint implements Checkpoint {
  private final DiffusersFolder folder;
  private final UNetConfig unetConfig;
  private final VaeConfig vaeConfig;
  private final TextConfig textConfig;
  private final SchedulerConfig schedulerConfig;
  private final TensorFile unet;
  private final TensorFile vae;
  private final TensorFile text;

  private DiffusersCheckpoint(DiffusersFolder folder) {
    this.folder = folder;
    folder.checkIndex();
    unetConfig = folder.unetConfig();
    vaeConfig = folder.vaeConfig();
    textConfig = folder.textConfig();
    schedulerConfig = folder.schedulerConfig();
    folder.checkParts(unetConfig, vaeConfig, textConfig);
    unet = folder.openUnet();
    vae = folder.openVae();
    text = folder.openTextEncoder();
  }

  /**
   * Opens a model folder; reads configurations and headers, no weights yet.
   *
   * @param ema which of the UNet's files
   * @throws InvalidInputException if a file is missing, damaged, not supported, or does not fit the
   *     others; one line naming file and key
   * @throws ResourceException if a file cannot be read
   */
  public static DiffusersCheckpoint open(Path folder, Ema ema) {
    return new DiffusersCheckpoint(new DiffusersFolder(folder, ema));
  }

  /** Opens a model folder with {@link Ema#AS_GIVEN}. */
  public static DiffusersCheckpoint open(Path folder) {
    return open(folder, Ema.AS_GIVEN);
  }

  @Override
  public Path path() {
    return folder.path();
  }

  @Override
  public String layout() {
    return "a folder in diffusers' layout";
  }

  @Override
  public UNetConfig unetConfig() {
    return unetConfig;
  }

  @Override
  public VaeConfig vaeConfig() {
    return vaeConfig;
  }

  @Override
  public TextConfig textConfig() {
    return textConfig;
  }

  @Override
  public SchedulerConfig schedulerConfig() {
    return schedulerConfig;
  }

  @Override
  public Part unet() {
    return folder.unet(unet);
  }

  @Override
  public Part vae() {
    return folder.vae(vae);
  }

  @Override
  public Part textEncoder() {
    return folder.textEncoder(text);
  }

  @Override
  public boolean hasSafetyChecker() {
    return folder.hasSafetyChecker();
  }

  @Override
  public Optional<SafetyCheckerWeights> safetyChecker() {
    if (!hasSafetyChecker()) {
      return Optional.empty();
    }
    try (TensorFile file = folder.openSafetyChecker()) {
      return Optional.of(new SafetyCheckerWeights(folder.safetyCheckerConfig(), folder.safetyChecker(file)));
    }
  }

  @Override
  public Optional<Path> tokenizerFolder() {
    return Optional.of(folder.path().resolve("tokenizer")).filter(Files::isDirectory);
  }

  @Override
  public Map<String, byte[]> configFiles() {
    return folder.configFiles();
  }

  @Override
  public void close() {
    unet.close();
    vae.close();
    text.close();
  }
}
