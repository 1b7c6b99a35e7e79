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
    if (!Files.exists(path)) {
      throw new InvalidInputException(path + ": no such model folder or file");
    }
    if (!Files.isDirectory(path) || Files.exists(path.resolve(DiffusersFolder.INDEX))) {
      return path;
    }
    List<Path> single;
    try (Stream<Path> files = Files.list(path)) {
      single = files.filter(Files::isRegularFile).filter(ModelPath::looksSingle).sorted().toList();
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
}
