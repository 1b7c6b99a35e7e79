// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.run.Embedded;
import java.nio.file.Path;

/** Where the files lie that come with Motley; the launcher says so by {@code -Dmotley.home}. */
final class Home {
  private Home() {}

  static Embedded embedded() {
    return Embedded.in(Path.of(System.getProperty("motley.home", "")));
  }

  /** The embedded model of clothes. */
  static Path model() {
    return embedded().model();
  }

  /** The real test images that go with it. */
  static Path realImages() {
    return embedded().realImages();
  }
}
