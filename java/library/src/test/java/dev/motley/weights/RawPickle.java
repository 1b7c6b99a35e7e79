// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Pickles of any opcodes, for tests of the reader. */
final class RawPickle {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  /** Begins with PROTO 2. */
  RawPickle() {
    op(0x80, 2);
  }

  RawPickle op(int... bytes) {
    for (int b : bytes) {
      out.write(b);
    }
    return this;
  }

  RawPickle ops(String text) {
    out.writeBytes(text.getBytes(StandardCharsets.ISO_8859_1));
    return this;
  }

  RawPickle int4(int value) {
    out.writeBytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
    return this;
  }

  RawPickle int8(long value) {
    out.writeBytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
    return this;
  }

  RawPickle text(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return ops("X").int4(bytes.length).bytes(bytes);
  }

  RawPickle bytes(byte[] bytes) {
    out.writeBytes(bytes);
    return this;
  }

  /** LONG1 of 8 bytes. */
  RawPickle number(long value) {
    return op(0x8a, 8).int8(value);
  }

  RawPickle numbers(long... values) {
    ops("(");
    for (long value : values) {
      number(value);
    }
    return ops("t");
  }

  RawPickle global(String module, String name) {
    return ops("c" + module + "\n" + name + "\n");
  }

  /** The persistent id of a storage. */
  RawPickle storage(String type, String key, long elements) {
    int dot = type.lastIndexOf('.');
    return ops("(")
        .text("storage")
        .global(type.substring(0, dot), type.substring(dot + 1))
        .text(key)
        .text("cpu")
        .number(elements)
        .ops("tQ");
  }

  /** A tensor over four floats, storage "0". */
  RawPickle tensor(long offset, long[] size, long[] stride) {
    return tensor("torch.FloatStorage", 4, offset, size, stride);
  }

  RawPickle tensor(String type, long elements, long offset, long[] size, long[] stride) {
    return global("torch._utils", "_rebuild_tensor_v2")
        .ops("(")
        .storage(type, "0", elements)
        .number(offset)
        .numbers(size)
        .numbers(stride)
        .op(0x89)
        .global("collections", "OrderedDict")
        .ops(")Rt")
        .ops("R");
  }

  /** Ends with STOP. */
  byte[] stop() {
    op('.');
    return out.toByteArray();
  }
}
