// SPDX-License-Identifier: Apache-2.0
package dev.motley.files;

import dev.motley.ResourceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What a disk still takes. */
public final class DiskSpace {
  private static final long MEGABYTE = 1_000_000;

  private DiskSpace() {}

  /**
   * Checks that a disk has room for what is going to be written, so that long work is not lost at its end.
   *
   * @param folder on the disk
   * @param bytes that will be written there
   * @param what they are, as a plural
   * @throws ResourceException if fewer are free
   */
  public static void require(Path folder, long bytes, String what) {
    require(folder, bytes, what, "");
  }

  /**
   * As {@link #require(Path, long, String)}.
   *
   * @param remedy what else can be done, behind a semicolon; may be empty
   */
  public static void require(Path folder, long bytes, String what, String remedy) {
    long free;
    try {
      free = Files.getFileStore(folder).getUsableSpace();
    } catch (IOException e) {
      return; // a file system that does not say may have it
    }
    if (free < bytes) {
      throw new ResourceException(
          "too little space on the disk of %s: %,d MB are free, %s need %,d MB%s"
              .formatted(folder, free / MEGABYTE, what, Math.ceilDiv(bytes, MEGABYTE), remedy.isEmpty() ? "" : "; " + remedy));
    }
  }
}
