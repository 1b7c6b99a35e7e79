// SPDX-License-Identifier: Apache-2.0
package dev.motley.files;

import dev.motley.ResourceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Folders that appear whole or not at all: filled under a temporary name beside the target, then renamed. No system renames over a folder
 * that is not empty, so an older one is set aside under a third name first; whatever happens then, one of the two is kept, and what a
 * killed process set aside is put back by the next attempt.
 */
public final class AtomicFolder {
  private AtomicFolder() {}

  /** Fills a folder. */
  @FunctionalInterface
  public interface Content {
    /** Writes all of it. */
    void writeTo(Path folder) throws IOException;
  }

  /** What writing a folder may remove: the folder itself, and what has its temporary names. */
  public static List<Path> replaced(Path folder) {
    return List.of(folder, temporary(target(folder)), aside(target(folder)));
  }

  /**
   * Puts back the folder that a killed process set aside, where nothing has taken its place.
   *
   * @throws ResourceException if that cannot be done
   */
  public static void restore(Path folder) {
    Path target = target(folder);
    try {
      if (!Files.exists(target) && Files.exists(aside(target))) {
        Files.move(aside(target), target, StandardCopyOption.ATOMIC_MOVE);
      }
    } catch (IOException e) {
      throw failure(folder, e);
    }
  }

  /**
   * Removes what a killed process left of a folder that it was writing, so that its space is free; the older one is put back.
   *
   * @throws ResourceException if that cannot be done
   */
  public static void removeRemains(Path folder) {
    restore(folder);
    try {
      delete(temporary(target(folder)));
      delete(aside(target(folder))); // another has taken its place
    } catch (IOException e) {
      throw failure(folder, e);
    }
  }

  /**
   * Writes a folder, and those above it where there are none.
   *
   * @param folder replaced if it exists
   * @throws ResourceException if it cannot be written; the old folder is as it was and nothing is left behind
   */
  public static void write(Path folder, Content content) {
    removeRemains(folder);
    Path target = target(folder);
    Path temporary = temporary(target);
    try {
      Files.createDirectories(temporary);
      content.writeTo(temporary);
      boolean replaces = Files.exists(target);
      if (replaces) {
        Files.move(target, aside(target), StandardCopyOption.ATOMIC_MOVE);
      }
      try {
        Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
      } catch (IOException e) {
        if (replaces) {
          restore(folder);
        }
        throw e;
      }
      AtomicFile.sync(target.getParent());
      delete(aside(target));
    } catch (IOException e) {
      throw failure(folder, e);
    } finally {
      deleteQuietly(temporary);
    }
  }

  private static Path target(Path folder) {
    return folder.toAbsolutePath().normalize();
  }

  private static Path temporary(Path target) {
    return target.resolveSibling("." + target.getFileName() + ".tmp");
  }

  private static Path aside(Path target) {
    return target.resolveSibling("." + target.getFileName() + ".old");
  }

  private static ResourceException failure(Path folder, IOException e) {
    return new ResourceException("cannot write " + folder + ": " + FileFailure.reason(e), e);
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
