// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import dev.motley.InvalidInputException;
import dev.motley.ProgressListener;
import dev.motley.ResourceException;
import dev.motley.files.AtomicFile;
import dev.motley.files.DiskSpace;
import dev.motley.files.FileFailure;
import dev.motley.text.ClipTokenizer;
import dev.motley.weights.Checkpoint;
import dev.motley.weights.CheckpointWriter;
import dev.motley.weights.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Writes a model anew: in either layout, in any floating-point type. What is written appears whole or not at all. */
public final class ModelConverter {
  private static final String INDEX = "model_index.json";

  /** Parts of a folder that are not the model's and go along as they are. */
  private static final List<String> COMPANIONS = List.of("safety_checker", "feature_extractor");

  private ModelConverter() {}

  /** A layout. */
  public enum Layout {
    /** A folder with a configuration and a file of weights for every network. */
    DIFFUSERS,

    /** One file of the latent diffusion code, for Stable Diffusion v1 only. */
    LDM
  }

  /**
   * Writes a model.
   *
   * @param model to be written; stays open
   * @param layout of what is written
   * @param out the folder or file
   * @param dtype of the weights: F16, BF16 or F32; empty for those that they have
   * @param replace whether an older model may be at {@code out}
   * @param listener hears of every tensor; may stop
   * @throws InvalidInputException if {@code out} is there, if the model is not whole, or if it cannot have that layout or type
   * @throws ResourceException if the disk lacks the space or cannot be written
   * @throws dev.motley.CancelledException if the listener stopped it; nothing is left behind
   */
  public static void convert(
      Checkpoint model, Layout layout, Path out, Optional<DType> dtype, boolean replace, ProgressListener listener) {
    requireFree(model, layout, out, replace);
    ClipTokenizer.of(model); // a broken one is told before gigabytes are written
    var writer = new CheckpointWriter(model, dtype, listener);
    DiskSpace.require(nearestFolder(out), writer.bytes(), "the model's weights");
    if (layout == Layout.LDM) {
      writer.writeSingle(out);
    } else {
      writeFolder(model, out, writer);
    }
  }

  private static void requireFree(Checkpoint model, Layout layout, Path out, boolean replace) {
    if (!Files.exists(out)) {
      return;
    }
    if (!replace) {
      throw new InvalidInputException(out + ": is there already; --force replaces it");
    }
    if (Files.isDirectory(out) != (layout == Layout.DIFFUSERS)) {
      throw new InvalidInputException(
          out + (layout == Layout.DIFFUSERS ? ": is a file, this layout is a folder" : ": is a folder, this layout is a file"));
    }
    if (layout == Layout.DIFFUSERS && !Files.exists(out.resolve(INDEX))) {
      throw new InvalidInputException(out + ": is no model folder (it has no " + INDEX + "), so it is not replaced");
    }
    try {
      if (Files.isSameFile(out, model.path())) {
        throw new InvalidInputException(out + ": is the model that is read");
      }
    } catch (IOException e) {
      throw FileFailure.reading(out, e);
    }
  }

  private static Path nearestFolder(Path out) {
    Path at = out.toAbsolutePath().getParent();
    while (at.getParent() != null && !Files.isDirectory(at)) {
      at = at.getParent();
    }
    return at;
  }

  /** Under a temporary name first: a folder that a killed process left is replaced by the next attempt. */
  private static void writeFolder(Checkpoint model, Path out, CheckpointWriter writer) {
    Path target = out.toAbsolutePath().normalize();
    Path temporary = target.resolveSibling("." + target.getFileName() + ".tmp");
    Path old = target.resolveSibling("." + target.getFileName() + ".old");
    try {
      delete(temporary);
      delete(old);
      writer.writeFolder(temporary);
      writeTokenizer(model, temporary);
      for (String companion : COMPANIONS) {
        if (Files.isDirectory(model.path()) && Files.isDirectory(model.path().resolve(companion))) {
          copy(model.path().resolve(companion), temporary.resolve(companion));
        }
      }
      if (Files.exists(target)) {
        Files.move(target, old, StandardCopyOption.ATOMIC_MOVE);
      }
      Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
      delete(old);
    } catch (IOException e) {
      throw new ResourceException("cannot write " + out + ": " + FileFailure.reason(e), e);
    } finally {
      deleteQuietly(temporary);
    }
  }

  private static void writeTokenizer(Checkpoint model, Path folder) throws IOException {
    Path tokenizer = folder.resolve("tokenizer");
    if (model.tokenizerFolder().isPresent()) {
      copy(model.tokenizerFolder().get(), tokenizer);
    } else {
      ClipTokenizer.writeBuiltIn(tokenizer);
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    AtomicFile.createFolder(to);
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.copy(file, to.resolve(file.getFileName().toString()), StandardCopyOption.REPLACE_EXISTING);
      }
    }
  }

  private static void delete(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  private static void deleteQuietly(Path folder) {
    try {
      delete(folder);
    } catch (IOException e) {
      // the error that brought us here is the one to tell
    }
  }
}
