// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import java.nio.file.Path;
import java.util.Locale;

/**
 * A finished shard.
 *
 * @param index its number, from 0
 * @param images how many images it holds
 * @param length its length in bytes
 * @param sha256 the SHA-256 of the file, in hexadecimal
 */
record StoreShard(int index, int images, long length, String sha256) {

  static final String PART = ".part";

  static String fileName(int index) {
    return String.format(Locale.ROOT, "%06d.tar", index);
  }

  static Path file(Path folder, int index) {
    return folder.resolve(fileName(index));
  }

  /** The file of a shard that still grows. */
  static Path part(Path folder, int index) {
    return folder.resolve(fileName(index) + PART);
  }
}
