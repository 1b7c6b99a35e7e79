// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import java.nio.file.Path;

/** Opens tensor files. */
final class TensorFiles {
  private TensorFiles() {}

  static TensorFile open(Path file) {
    return SafeTensors.open(file);
  }
}
