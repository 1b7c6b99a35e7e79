// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Files of any bytes, for tests of the reader. */
final class RawFile {
  private RawFile() {}

  /** A file of a header with its true length and {@code dataBytes} bytes 0, 1, 2, ... behind. */
  static Path withHeader(Path folder, String header, int dataBytes) throws IOException {
    byte[] text = header.getBytes(StandardCharsets.UTF_8);
    return withLength(folder, text.length, text, dataBytes);
  }

  static Path withLength(Path folder, long length, byte[] header, int dataBytes)
      throws IOException {
    ByteBuffer all =
        ByteBuffer.allocate(8 + header.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
    all.putLong(length).put(header);
    for (int i = 0; i < dataBytes; i++) {
      all.put((byte) i);
    }
    return Files.write(folder.resolve("attack.safetensors"), all.array());
  }
}
