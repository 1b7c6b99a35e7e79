// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import dev.motley.InvalidInputException;
import dev.motley.ResourceException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * Stable Diffusion v1 in one file, named as the latent diffusion code that trained it: {@code model.diffusion_model.*}, {@code
 * first_stage_model.*}, {@code cond_stage_model.transformer.*}, perhaps the UNet's moving average {@code model_ema.*}. The file has no
 * configuration: the networks have v1's shapes, and the schedule is v1's. What lies beside these names, such as the tables of the noise
 * schedule, is left out.
 */
public final class LdmCheckpoint implements Checkpoint {
  private static final Logger LOG = System.getLogger(LdmCheckpoint.class.getName());
  private static final String RESOURCES = "sd-v1/";
  private static final String EMA_PREFIX = "model_ema.";
  private static final String TEXT_ROOT = "text_model.";

  private final TensorFile file;
  private final Ema ema;
  private final BuiltIn configs;

  private LdmCheckpoint(TensorFile file, Ema ema) {
    this.file = file;
    this.ema = ema;
    configs = BuiltIn.read();
  }

  /** The configurations of Stable Diffusion v1. */
  record BuiltIn(UNetConfig unet, VaeConfig vae, TextConfig text, SchedulerConfig scheduler) {
    static BuiltIn read() {
      return new BuiltIn(
          UNetConfig.of(config("unet/config.json")),
          VaeConfig.of(config("vae/config.json")),
          TextConfig.of(config("text_encoder/config.json")),
          SchedulerConfig.of(config("scheduler/scheduler_config.json")));
    }

    private static ConfigFile config(String name) {
      return ConfigFile.parse("the built-in " + name, text(name));
    }

    static byte[] text(String name) {
      try (InputStream in = LdmCheckpoint.class.getResourceAsStream(RESOURCES + name)) {
        return Objects.requireNonNull(in, name).readAllBytes();
      } catch (IOException e) {
        throw new UncheckedIOException("the library's own " + name, e);
      }
    }
  }

  /**
   * Opens a file; reads its table of contents, no weights yet.
   *
   * @param ema which of the UNet's weights
   * @throws InvalidInputException if it is damaged, if it holds another model, which the message names, or if it has no averaged weights
   *     and these were asked for
   * @throws ResourceException if it cannot be read
   */
  public static LdmCheckpoint open(Path file, Ema ema) {
    TensorFile opened = TensorFiles.open(file);
    ModelKind.foreign(opened).ifPresent(kind -> {
      opened.close();
      throw new InvalidInputException("%s: holds %s, %s".formatted(file, kind, ModelKind.EXPECTED));
    });
    var checkpoint = new LdmCheckpoint(opened, ema);
    if (ema == Ema.AVERAGED && !checkpoint.hasEma()) {
      opened.close();
      throw new InvalidInputException(
          file + ": has no averaged weights (no tensor is named model_ema.*); its plain weights are all there is");
    }
    return checkpoint;
  }

  /** Whether a model could be written in this layout. */
  static boolean hasShapeOf(Checkpoint other) {
    BuiltIn v1 = BuiltIn.read();
    return ModelHash.networks(v1.unet(), v1.vae(), v1.text())
            .equals(ModelHash.networks(other.unetConfig(), other.vaeConfig(), other.textConfig()))
        && ModelHash.schedule(v1.scheduler()).equals(ModelHash.schedule(other.schedulerConfig()));
  }

  /** Whether the file holds the UNet's moving average. */
  public boolean hasEma() {
    return emaNames().keySet().stream().anyMatch(file.names()::contains);
  }

  private Map<String, String> emaNames() {
    return LdmKeys.inverse(ModelShapes.unet(configs.unet()).keySet(), name -> LdmKeys.ema(LdmKeys.unet(name)));
  }

  @Override
  public Path path() {
    return file.file();
  }

  @Override
  public String layout() {
    return "a single file of the latent diffusion code";
  }

  @Override
  public UNetConfig unetConfig() {
    return configs.unet();
  }

  @Override
  public VaeConfig vaeConfig() {
    return configs.vae();
  }

  @Override
  public TextConfig textConfig() {
    return configs.text();
  }

  @Override
  public SchedulerConfig schedulerConfig() {
    return configs.scheduler();
  }

  @Override
  public Part unet() {
    if (ema == Ema.AVERAGED) {
      return averaged();
    }
    Map<String, String> names = LdmKeys.inverse(ModelShapes.unet(configs.unet()).keySet(), LdmKeys::unet);
    return part("unet", LdmKeys.UNET, names, name -> false);
  }

  /** The moving average covers every tensor of the UNet; what it lacks is missing. */
  private Part averaged() {
    Map<String, TensorView> tensors = new LinkedHashMap<>();
    emaNames().forEach((stored, name) -> {
      if (file.names().contains(stored)) {
        tensors.put(name, file.tensor(stored).renamed(name));
      }
    });
    return new Part("unet", file.file(), tensors);
  }

  @Override
  public Part vae() {
    Map<String, String> names = LdmKeys.inverse(ModelShapes.vae(configs.vae()).keySet(), LdmKeys::vae);
    return part("vae", LdmKeys.VAE, names, name -> name.startsWith("loss.") || name.startsWith(EMA_PREFIX));
  }

  @Override
  public Part textEncoder() {
    Map<String, String> names = LdmKeys.inverse(ModelShapes.text(configs.text()).keySet(), LdmKeys::text);
    // Some files leave "text_model." out.
    Map.copyOf(names).forEach((stored, name) -> names.put(stored.replace(TEXT_ROOT, ""), name));
    return part("text_encoder", LdmKeys.TEXT, names, name -> name.endsWith("position_ids"));
  }

  /**
   * The tensors under a prefix; those that the network does not know keep the file's name, so that they are refused by it.
   *
   * @param names the network's by the file's
   * @param buffer whether a name, without the prefix, is of a buffer that decides nothing
   */
  private Part part(String part, String prefix, Map<String, String> names, Predicate<String> buffer) {
    Map<String, TensorView> tensors = new LinkedHashMap<>();
    for (String stored : file.names()) {
      if (stored.startsWith(prefix) && !buffer.test(stored.substring(prefix.length()))) {
        String name = names.getOrDefault(stored, stored);
        TensorView tensor = DiffusersFolder.asMatrix(file.tensor(stored).renamed(name));
        if (tensors.put(name, tensor) != null) {
          throw new InvalidInputException(file.file() + ": two tensors mean " + Quote.of(name));
        }
      }
    }
    return new Part(part, file.file(), tensors);
  }

  @Override
  public boolean hasSafetyChecker() {
    return false;
  }

  @Override
  public Optional<SafetyCheckerWeights> safetyChecker() {
    return Optional.empty();
  }

  @Override
  public Optional<Path> tokenizerFolder() {
    return Optional.empty();
  }

  @Override
  public Map<String, byte[]> configFiles() {
    Map<String, byte[]> texts = new TreeMap<>();
    DiffusersFolder.CONFIGS.forEach(name -> texts.put(name, BuiltIn.text(name)));
    texts.put(DiffusersFolder.INDEX, BuiltIn.text(DiffusersFolder.INDEX));
    return texts;
  }

  @Override
  public void requireWhole() {
    if (ema == Ema.AS_GIVEN && hasEma()) {
      LOG.log(
          Level.WARNING,
          "{0}: holds the UNet''s weights before averaging, which are taken, and the averaged ones, which published folders hold:"
              + " choose by --ema or --no-ema",
          path());
    }
    Checkpoint.super.requireWhole();
  }

  @Override
  public void close() {
    file.close();
  }
}
