// SPDX-License-Identifier: Apache-2.0
package dev.motley.onnx;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** A protocol buffers message in the making. Large contents are asked for only while it is written, one at a time. */
final class Message {
  private static final int VARINT = 0;
  private static final int LENGTH_DELIMITED = 2;
  private static final int FIXED_32 = 5;

  private record Chunk(long bytes, Supplier<ByteBuffer> content) {}

  private final List<Chunk> chunks = new ArrayList<>();
  private long bytes;

  Message number(int field, long value) {
    var out = new ByteArrayOutputStream();
    varint(out, key(field, VARINT));
    varint(out, value);
    return append(out);
  }

  Message number(int field, float value) {
    var out = new ByteArrayOutputStream();
    varint(out, key(field, FIXED_32));
    out.writeBytes(ByteBuffer.allocate(Float.BYTES).order(ByteOrder.LITTLE_ENDIAN).putFloat(value).array());
    return append(out);
  }

  Message text(int field, String value) {
    byte[] content = value.getBytes(StandardCharsets.UTF_8);
    return content(field, content.length, () -> ByteBuffer.wrap(content));
  }

  Message message(int field, Message value) {
    begin(field, value.bytes);
    chunks.addAll(value.chunks);
    bytes += value.bytes;
    return this;
  }

  /** Content of so many bytes, made when it is written. */
  Message content(int field, long length, Supplier<ByteBuffer> content) {
    begin(field, length);
    chunks.add(new Chunk(length, content));
    bytes += length;
    return this;
  }

  void writeTo(FileChannel channel) throws IOException {
    for (Chunk chunk : chunks) {
      ByteBuffer content = chunk.content.get();
      if (content.remaining() != chunk.bytes) {
        throw new IllegalStateException("content of " + content.remaining() + " bytes, announced were " + chunk.bytes);
      }
      while (content.hasRemaining()) {
        channel.write(content);
      }
    }
  }

  private void begin(int field, long length) {
    var out = new ByteArrayOutputStream();
    varint(out, key(field, LENGTH_DELIMITED));
    varint(out, length);
    append(out);
  }

  private Message append(ByteArrayOutputStream out) {
    byte[] content = out.toByteArray();
    chunks.add(new Chunk(content.length, () -> ByteBuffer.wrap(content)));
    bytes += content.length;
    return this;
  }

  private static long key(int field, int type) {
    return (long) field << 3 | type;
  }

  private static void varint(ByteArrayOutputStream out, long value) {
    long rest = value;
    while ((rest & ~0x7FL) != 0) {
      out.write((int) (rest & 0x7F | 0x80));
      rest >>>= 7;
    }
    out.write((int) rest);
  }
}
