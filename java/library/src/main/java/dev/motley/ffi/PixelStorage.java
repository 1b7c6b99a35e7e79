// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import dev.motley.InvalidInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalLong;

/**
 * Where the pixels of a set are kept: in memory, or those of a large set in a file that is mapped. The file has no name for longer than a
 * moment, so that the system takes its space back when the set is closed and when the process ends, however it does.
 *
 * @param folder for the files
 * @param memory bytes up to which a set is kept in memory, 0: none; empty for a quarter of what is available when it begins to be read, as
 *     the network will need memory, too
 */
public record PixelStorage(Path folder, OptionalLong memory) {
  /** Names the folder for temporary files, as everywhere on Unix. */
  static final String VARIABLE = "TMPDIR";

  /** Where large temporary files belong: {@code /tmp} is memory on many systems. */
  private static final Path LARGE = Path.of("/var/tmp");

  private static final int SHARE = 4;

  /** Checks the limit. */
  public PixelStorage {
    if (memory.isPresent() && memory.getAsLong() < 0) {
      throw new InvalidInputException("%,d bytes of memory for pixels, expected 0 or more".formatted(memory.getAsLong()));
    }
  }

  /**
   * Decides by the memory that is available. Files go to the folder that the environment's {@code TMPDIR} names, else to {@code /var/tmp},
   * or where there is none, to Java's folder for temporary files.
   */
  public static PixelStorage standard() {
    return standard(System.getenv());
  }

  static PixelStorage standard(Map<String, String> environment) {
    String named = environment.getOrDefault(VARIABLE, "");
    Path otherwise = Files.isDirectory(LARGE) ? LARGE : Path.of(System.getProperty("java.io.tmpdir"));
    return new PixelStorage(named.isBlank() ? otherwise : Path.of(named), OptionalLong.empty());
  }

  /** Keeps pixels in files of a folder, however few they are. */
  public static PixelStorage mapped(Path folder) {
    return new PixelStorage(folder, OptionalLong.of(0));
  }

  /** Bytes of a set that begins to be read now that may be in memory. */
  long limit() {
    return memory.orElseGet(() -> AvailableMemory.bytes() / SHARE);
  }
}
