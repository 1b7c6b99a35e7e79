// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import dev.motley.InvalidInputException;
import dev.motley.files.FileFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** Finds what a user means by the path of a model. */
final class ModelPath {
  private ModelPath() {}

  /** The folder in diffusers' layout, or the file, that a path means. */
  static Path locate(Path path) {
    requireThere(path);
    if (!Files.isDirectory(path) || Files.exists(path.resolve(DiffusersFolder.INDEX))) {
      return path;
    }
    List<Path> single = list(path).stream().filter(Files::isRegularFile).filter(ModelPath::looksSingle).toList();
    if (single.size() == 1) {
      return single.getFirst();
    }
    throw new InvalidInputException(
        path
            + ": no model folder: it has no "
            + DiffusersFolder.INDEX
            + (single.isEmpty() ? " and no .safetensors or .ckpt file" + snapshots(path) : "; name one of its files: " + names(single)));
  }

  /**
   * Checks that there is something.
   *
   * @throws InvalidInputException if not, saying what to give where a model's name on Hugging Face was given
   */
  static void requireThere(Path path) {
    if (Files.exists(path)) {
      return;
    }
    boolean name = !path.isAbsolute() && path.getNameCount() == 2 && !looksSingle(path) && !Files.exists(path.getParent());
    throw new InvalidInputException(
        path
            + ": no such model folder or file"
            + (name
                ? "; Motley downloads nothing: give the folder of a downloaded copy, such as ~/.cache/huggingface/hub/models--%s--%s/snapshots/..."
                    .formatted(path.getName(0), path.getName(1))
                : ""));
  }

  /** What to give instead of a model's folder in Hugging Face's cache, which holds one of each version. */
  private static String snapshots(Path path) {
    Path folder = path.resolve("snapshots");
    List<Path> versions = Files.isDirectory(folder) ? list(folder).stream().filter(Files::isDirectory).toList() : List.of();
    return versions.isEmpty() ? "" : "; it is of Hugging Face's cache: name a folder in its snapshots/: " + names(versions);
  }

  private static List<Path> list(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted().toList();
    } catch (IOException e) {
      throw FileFailure.readingIn(folder, e);
    }
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
}
