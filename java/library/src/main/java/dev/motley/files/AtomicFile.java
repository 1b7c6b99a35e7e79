// SPDX-License-Identifier: Apache-2.0
package dev.motley.files;

import dev.motley.ResourceException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * Files that appear whole or not at all: written under a temporary name beside the target, synced, renamed. A temporary file that
 * a killed process left is replaced by the next attempt.
 */
public final class AtomicFile {
  private AtomicFile() {}

  /** Writes the content of a file. */
  @FunctionalInterface
  public interface Content {
    /** Writes all of it. */
    void writeTo(FileChannel channel) throws IOException;
  }

  /**
   * Writes a text in UTF-8; see {@link #write(Path, Content)}.
   *
   * @throws ResourceException as there
   */
  public static void write(Path file, String text) {
    write(file, text.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Writes bytes; see {@link #write(Path, Content)}.
   *
   * @throws ResourceException as there
   */
  public static void write(Path file, byte[] bytes) {
    write(
        file,
        channel -> {
          ByteBuffer buffer = ByteBuffer.wrap(bytes);
          while (buffer.hasRemaining()) {
            channel.write(buffer);
          }
        });
  }

  /**
   * Writes a file, and the folders above it where there are none.
   *
   * @param file replaced if it exists
   * @throws ResourceException if it cannot be written; the old file is as it was and nothing is left behind
   */
  public static void write(Path file, Content content) {
    Path target = file.toAbsolutePath();
    Path temporary = temporary(target);
    try {
      Files.createDirectories(target.getParent());
      try (FileChannel channel =
          FileChannel.open(
              temporary,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.WRITE)) {
        content.writeTo(channel);
        channel.force(true);
      }
      Files.move(
          temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      sync(target.getParent());
    } catch (IOException e) {
      deleteQuietly(temporary);
      throw new ResourceException("cannot write " + file + ": " + FileFailure.reason(e), e);
    } catch (RuntimeException | Error e) {
      deleteQuietly(temporary);
      throw e;
    }
  }

  /**
   * Removes what a killed process left of a file it was writing, so that its space is free.
   *
   * @param file that was being written
   */
  public static void removeRemains(Path file) {
    deleteQuietly(remains(file));
  }

  /** Where a killed process leaves what it had written of a file. */
  public static Path remains(Path file) {
    return temporary(file.toAbsolutePath());
  }

  private static Path temporary(Path target) {
    return target.resolveSibling("." + target.getFileName() + ".tmp");
  }

  /**
   * Makes a folder and those above it.
   *
   * @throws ResourceException if that cannot be done
   */
  public static void createFolder(Path folder) {
    try {
      Files.createDirectories(folder.toAbsolutePath());
    } catch (IOException e) {
      throw new ResourceException("cannot make the folder " + folder + ": " + FileFailure.reason(e), e);
    }
  }

  /** Makes the rename durable; not every system lets a folder be opened, and then it needs no sync. */
  static void sync(Path folder) throws IOException {
    FileChannel opened;
    try {
      opened = FileChannel.open(folder, StandardOpenOption.READ);
    } catch (IOException e) {
      return; // the file itself is synced
    }
    try (FileChannel channel = opened) {
      channel.force(true);
    }
  }

  private static void deleteQuietly(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      // the error that brought us here is the one to tell
    }
  }
}
