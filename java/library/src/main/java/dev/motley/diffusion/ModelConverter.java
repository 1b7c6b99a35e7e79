// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import dev.motley.InvalidInputException;
import dev.motley.ProgressListener;
import dev.motley.ResourceException;
import dev.motley.files.AtomicFile;
import dev.motley.files.AtomicFolder;
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
    try {
      requireApart(model, out);
      if (layout == Layout.DIFFUSERS) {
        AtomicFolder.restore(out);
      }
      requireFree(layout, out, replace);
      ClipTokenizer.of(model); // a broken one is told before gigabytes are written
      var writer = new CheckpointWriter(model, dtype, listener);
      if (layout == Layout.LDM) {
        AtomicFile.removeRemains(out);
        DiskSpace.require(nearestFolder(out), writer.bytes(), "the model's weights");
        writer.writeSingle(out);
      } else {
        AtomicFolder.removeRemains(out);
        DiskSpace.require(nearestFolder(out), writer.bytes() + companionBytes(model), "the model's weights");
        AtomicFolder.write(out, folder -> writeFolder(model, folder, writer));
      }
    } catch (IOException e) {
      throw FileFailure.readingIn(model.path(), e);
    }
  }

  /** What is replaced must be no part of what is read: neither the same, nor one in the other, nor by a link. */
  private static void requireApart(Checkpoint model, Path out) throws IOException {
    Path read = model.path().toRealPath();
    for (Path replaced : AtomicFolder.replaced(out)) {
      if (Files.exists(replaced) && read.startsWith(replaced.toRealPath())) {
        throw new InvalidInputException(replaced + (read.equals(replaced.toRealPath()) ? ": is" : ": holds") + " the model that is read");
      }
    }
    if (!Files.exists(out)) {
      return;
    }
    Path written = out.toRealPath();
    if (written.startsWith(read)) {
      throw new InvalidInputException(out + ": lies in the model that is read");
    }
    try (Stream<Path> files = Files.walk(model.path(), 2)) {
      for (Path file : files.filter(Files::exists).toList()) {
        if (file.toRealPath().startsWith(written)) {
          throw new InvalidInputException(out + ": holds " + file + ", a part of the model that is read");
        }
      }
    }
  }

  private static void requireFree(Layout layout, Path out, boolean replace) {
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
  }

  private static Path nearestFolder(Path out) {
    Path at = out.toAbsolutePath().getParent();
    while (at.getParent() != null && !Files.isDirectory(at)) {
      at = at.getParent();
    }
    return at;
  }

  private static void writeFolder(Checkpoint model, Path folder, CheckpointWriter writer) throws IOException {
    writer.writeFolder(folder);
    writeTokenizer(model, folder);
    for (Path companion : companions(model)) {
      copy(companion, folder.resolve(companion.getFileName().toString()));
    }
  }

  private static List<Path> companions(Checkpoint model) {
    return COMPANIONS.stream().map(model.path()::resolve).filter(Files::isDirectory).toList();
  }

  private static long companionBytes(Checkpoint model) throws IOException {
    long bytes = 0;
    for (Path companion : companions(model)) {
      for (Path file : files(companion)) {
        bytes += Files.size(file);
      }
    }
    return bytes;
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
    for (Path file : files(from)) {
      Files.copy(file, to.resolve(file.getFileName().toString()), StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(Files::isRegularFile).toList();
    }
  }
}
