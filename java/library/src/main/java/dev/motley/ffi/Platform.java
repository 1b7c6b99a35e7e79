// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** What machine this is, in the words of JavaCPP's classifiers, and where its caches are. */
final class Platform {

  private Platform() {}

  /** For example {@code linux-x86_64} or {@code macosx-arm64}. */
  static String name() {
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String system = os.startsWith("mac") ? "macosx" : os.startsWith("windows") ? "windows" : os;
    String machine = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
    String architecture =
        switch (machine) {
          case "amd64", "x86_64" -> "x86_64";
          case "aarch64" -> "arm64";
          default -> machine;
        };
    return system + "-" + architecture;
  }

  /**
   * Folders to unpack into, the best first; the last one works where the home cannot be written.
   */
  static List<Path> cacheFolders() {
    String set = System.getProperty("motley.cache", "");
    if (!set.isBlank()) {
      return List.of(Path.of(set));
    }
    String xdg = System.getenv("XDG_CACHE_HOME");
    Path home =
        xdg != null && !xdg.isBlank()
            ? Path.of(xdg)
            : Path.of(System.getProperty("user.home"), ".cache");
    Path temporary =
        Path.of(System.getProperty("java.io.tmpdir"), "motley-" + System.getProperty("user.name"));
    return List.of(home.resolve("motley"), temporary);
  }
}
