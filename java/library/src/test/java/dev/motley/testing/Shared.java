// SPDX-License-Identifier: Apache-2.0
package dev.motley.testing;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The folder of large reference data (goldens, real images, checkpoints) that does not travel with
 * the repository: $MOTLEY_SHARED, or {@code ../shared} beside the repository. A test that asks for
 * a file of it is skipped, and counted as skipped, where the folder is absent; a folder that is
 * there but lacks the file is a failure.
 */
public final class Shared {

  private Shared() {}

  /**
   * Resolves a file or folder of the shared data.
   *
   * @param relative its path inside the folder, such as {@code golden/ddim}
   * @return the path, which exists
   */
  public static Path path(String relative) {
    Path root = root();
    assumeTrue(
        Files.isDirectory(root), () -> "needs shared data: no folder " + root + " (MOTLEY_SHARED)");
    Path path = root.resolve(relative);
    if (!Files.exists(path)) {
      throw new AssertionError("the shared data folder " + root + " has no " + relative);
    }
    return path;
  }

  /**
   * Resolves a file or folder of Stable Diffusion v1.4 in all its forms, which takes gigabytes of disk and memory: only where
   * $MOTLEY_FULL_SIZE names the folder that holds them is a test run that asks for it; else it is skipped, and counted as skipped.
   *
   * @param relative its path inside the folder
   * @return the path, which exists
   */
  public static Path fullSize(String relative) {
    String set = System.getenv("MOTLEY_FULL_SIZE");
    assumeTrue(set != null && !set.isBlank(), "needs a model of full size: MOTLEY_FULL_SIZE names no folder");
    Path path = Path.of(set).resolve(relative).toAbsolutePath();
    if (!Files.exists(path)) {
      throw new AssertionError("the folder that MOTLEY_FULL_SIZE names has no " + relative);
    }
    return path;
  }

  /**
   * Finds the root of the repository, for tests that read its sources.
   *
   * @return the nearest folder at or above the working directory that holds {@code .mvn}
   */
  public static Path repository() {
    Path start = Path.of("").toAbsolutePath();
    for (Path at = start; at != null; at = at.getParent()) {
      if (Files.isDirectory(at.resolve(".mvn"))) {
        return at;
      }
    }
    throw new AssertionError("no folder at or above " + start + " holds .mvn");
  }

  private static Path root() {
    String set = System.getenv("MOTLEY_SHARED");
    return set != null && !set.isBlank()
        ? Path.of(set).toAbsolutePath()
        : repository().resolveSibling("shared");
  }
}
