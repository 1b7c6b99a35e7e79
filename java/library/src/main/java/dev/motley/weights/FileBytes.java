// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import dev.motley.InvalidInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** Reads small parts of a file. */
final class FileBytes {
  private FileBytes() {}

  /**
   * Reads exactly so many bytes.
   *
   * @return them, little-endian, from position 0
   * @throws InvalidInputException if the file ends before
   */
  static ByteBuffer read(Path file, FileChannel channel, long position, int count) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) {
      if (channel.read(bytes, position + bytes.position()) < 0) {
        throw new InvalidInputException(file + ": ended while its header was read");
      }
    }
    return bytes.flip();
  }
}
