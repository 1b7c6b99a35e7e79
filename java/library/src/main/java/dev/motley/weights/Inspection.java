// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import dev.motley.InvalidInputException;
import dev.motley.MotleyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * What lies at a path: a model in any layout, whole or damaged, or any other file of tensors. Everything that can be read is told, and
 * everything that is wrong.
 */
public final class Inspection implements AutoCloseable {
  private final Path path;
  private final Ema ema;
  private final List<Part> parts = new ArrayList<>();
  private final List<String> faults = new ArrayList<>();
  private String kind = "not recognised";
  private String layout = "not recognised";
  private String averaged = "";
  private Optional<Checkpoint> checkpoint = Optional.empty();

  private Inspection(Path path, Ema ema) {
    this.path = path;
    this.ema = ema;
  }

  /**
   * Looks at a folder or file; reads tables of contents, no weights.
   *
   * @param ema which of the UNet's weights of a model that holds both
   * @throws InvalidInputException if there is nothing at the path
   */
  public static Inspection of(Path path, Ema ema) {
    ModelPath.requireThere(path);
    var inspection = new Inspection(path, ema);
    boolean folder = Files.isDirectory(path);
    Optional<Path> place = inspection.attempt(() -> ModelPath.locate(path));
    if (folder && place.filter(path::equals).isPresent()) {
      inspection.folder(new DiffusersFolder(path, ema));
    } else {
      place.ifPresent(inspection::single);
    }
    if (inspection.faults.isEmpty() && inspection.isModel()) {
      inspection.checkpoint = inspection.attempt(() -> Checkpoint.open(path, ema));
    }
    return inspection;
  }

  private boolean isModel() {
    return parts.stream().anyMatch(part -> part.name().equals("unet"));
  }

  private <T> Optional<T> attempt(Supplier<T> step) {
    try {
      return Optional.of(step.get());
    } catch (MotleyException e) {
      faults.add(e.getMessage());
      return Optional.empty();
    }
  }

  private void folder(DiffusersFolder folder) {
    layout = "a folder in diffusers' layout";
    averaged = folder.hasNonEma() ? "both: --ema and --no-ema choose" : "one set of weights";
    boolean known = attempt(() -> {
      folder.checkIndex();
      return true;
    }).isPresent();
    kind = known ? "a latent diffusion model of its own shape" : "not a model that Motley draws with";
    Optional<UNetConfig> unet = attempt(folder::unetConfig);
    Optional<VaeConfig> vae = attempt(folder::vaeConfig);
    Optional<TextConfig> text = attempt(folder::textConfig);
    attempt(folder::schedulerConfig);
    network(folder::openUnet, folder::unet, unet.map(ModelShapes::unet));
    network(folder::openVae, folder::vae, vae.map(ModelShapes::vae));
    network(folder::openTextEncoder, folder::textEncoder, text.map(ModelShapes::text));
    if (folder.hasSafetyChecker()) {
      attempt(folder::safetyCheckerConfig);
      network(folder::openSafetyChecker, folder::safetyChecker, Optional.empty());
    }
    if (unet.isPresent() && vae.isPresent() && text.isPresent()) {
      attempt(() -> {
        folder.checkParts(unet.get(), vae.get(), text.get());
        return true;
      });
      LdmCheckpoint.BuiltIn v1 = LdmCheckpoint.BuiltIn.read();
      if (known && ModelHash.networks(unet.get(), vae.get(), text.get()).equals(ModelHash.networks(v1.unet(), v1.vae(), v1.text()))) {
        kind = "Stable Diffusion v1";
      }
    }
  }

  private void network(Supplier<TensorFile> open, Function<TensorFile, Part> names, Optional<Map<String, long[]>> expected) {
    attempt(() -> {
      try (TensorFile file = open.get()) {
        return add(names.apply(file), expected);
      }
    });
  }

  private Part add(Part part, Optional<Map<String, long[]>> expected) {
    parts.add(part);
    expected.ifPresent(
        shapes -> PartCheck.faults(part, shapes).forEach(fault -> faults.add(part.file() + ": " + part.name() + ": " + fault)));
    return part;
  }

  private void single(Path file) {
    attempt(() -> TensorFiles.open(file)).ifPresent(opened -> {
      try (opened) {
        layout = "a single file";
        Optional<String> foreign = ModelKind.foreign(opened);
        kind = foreign.orElse("Stable Diffusion v1");
        if (foreign.isPresent()) {
          attempt(() -> add(new Part("file", file, opened.tensors()), Optional.empty()));
        } else {
          networks(file);
        }
      }
    });
  }

  private void networks(Path file) {
    LdmCheckpoint.BuiltIn v1 = LdmCheckpoint.BuiltIn.read();
    Map<String, Map<String, long[]>> expected = new HashMap<>(PartCheck.expected(v1.unet(), v1.vae(), v1.text()));
    attempt(() -> LdmCheckpoint.open(file, ema)).ifPresent(model -> {
      try (model) {
        layout = model.layout();
        averaged = model.hasEma() ? "both: --ema takes the averaged ones" : "one set of weights";
        for (Supplier<Part> part : List.<Supplier<Part>>of(model::unet, model::vae, model::textEncoder)) {
          attempt(() -> {
            Part found = part.get();
            return add(found, Optional.of(expected.get(found.name())));
          });
        }
      }
    });
  }

  /** Where it lies. */
  public Path path() {
    return path;
  }

  /** What it is, such as {@code Stable Diffusion v1} or {@code a LoRA}. */
  public String kind() {
    return kind;
  }

  /** How it is written. */
  public String layout() {
    return layout;
  }

  /** Whether it holds averaged weights of the UNet besides others, in words; empty if it is no such model. */
  public String averaged() {
    return averaged;
  }

  /** The networks that could be read; one called {@code file} where it is no model. */
  public List<Part> parts() {
    return List.copyOf(parts);
  }

  /** What is damaged, missing, too much or of the wrong shape: a line each. */
  public List<String> faults() {
    return List.copyOf(faults);
  }

  /** The model, where nothing is wrong with it; closed with this. */
  public Optional<Checkpoint> checkpoint() {
    return checkpoint;
  }

  @Override
  public void close() {
    checkpoint.ifPresent(Checkpoint::close);
  }
}
