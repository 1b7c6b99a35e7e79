// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import java.nio.file.Path;

/** Where the files lie that come with Motley; the launcher says so by {@code -Dmotley.home}. */
final class Home {
  private Home() {}

  private static Path folder() {
    return Path.of(System.getProperty("motley.home", ""));
  }

  /** The embedded model of clothes. */
  static Path model() {
    return folder().resolve("models/clothes");
  }

  /** The real test images that go with it. */
  static Path realImages() {
    return folder().resolve("models/fashion-mnist");
  }
}
