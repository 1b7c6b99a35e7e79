// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import dev.motley.ResourceException;
import dev.motley.files.DiskSpace;
import dev.motley.files.FileFailure;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Pixels in a file that has lost its name, and is mapped when it is complete. Until then it is written: a disk that is full is an error
 * of a write, but the end of the process where memory that is mapped cannot be stored.
 */
final class PixelFile implements PixelWriter.Place {
  private static final String REMEDY = PixelStorage.VARIABLE + " names another folder";

  private final Path folder;
  private final String what;
  private final FileChannel channel;

  private PixelFile(Path folder, String what, FileChannel channel) {
    this.folder = folder;
    this.what = what;
    this.channel = channel;
  }

  /**
   * Makes a file.
   *
   * @param expected bytes, for which there must be room
   */
  static PixelFile in(Path folder, String what, long expected) {
    DiskSpace.require(folder, expected, "the pixels of " + what, REMEDY);
    try {
      Path file = Files.createTempFile(folder, "motley-", ".pixels");
      try {
        // The system deletes its name at once, where it can, and its content with the last use.
        return new PixelFile(
            folder,
            what,
            FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.DELETE_ON_CLOSE));
      } catch (IOException e) {
        Files.deleteIfExists(file);
        throw e;
      }
    } catch (IOException e) {
      throw failure(folder, what, e);
    }
  }

  private static ResourceException failure(Path folder, String what, IOException e) {
    String reason = Files.isDirectory(folder) ? FileFailure.reason(e) : "no such folder";
    return new ResourceException("cannot write the pixels of %s to %s: %s; %s".formatted(what, folder, reason, REMEDY), e);
  }

  @Override
  public long capacity() {
    return Long.MAX_VALUE;
  }

  @Override
  public void put(long at, byte[] bytes) {
    put(at, ByteBuffer.wrap(bytes));
  }

  void put(long at, ByteBuffer bytes) {
    try {
      long to = at;
      while (bytes.hasRemaining()) {
        to += channel.write(bytes, to);
      }
    } catch (IOException e) {
      throw failure(folder, what, e);
    }
  }

  @Override
  public PackedPixels finish(long size, PixelStorage storage) {
    Arena arena = Arena.ofShared();
    try (channel) {
      return new PackedPixels(arena, channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena), storage, true);
    } catch (IOException e) {
      arena.close();
      throw failure(folder, what, e);
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw failure(folder, what, e);
    }
  }
}
