// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Zip archives, right or wrong, for tests of the reader. */
final class RawZip {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final List<byte[]> central = new ArrayList<>();

  /** An archive with a pickle and the floats 0 to 3 as storage "0". */
  static byte[] of(byte[] pickle) {
    return new RawZip().add("a/data.pkl", pickle).add("a/data/0", floats()).end();
  }

  static byte[] floats() {
    return ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putFloat(0).putFloat(1).putFloat(2).putFloat(3).array();
  }

  RawZip add(String name, byte[] content) {
    return add(name, content, 0, 0, content.length, out.size());
  }

  /** An entry of which the directory says what it is told to. */
  RawZip add(String name, byte[] content, int flags, int method, int size, int header) {
    local(name, flags, method, content.length);
    out.writeBytes(content);
    return directory(name, flags, method, size, header, new byte[0]);
  }

  /** An entry whose sizes and place are in a Zip64 field. */
  RawZip add64(String name, byte[] content, long size, long header) {
    local(name, 0, 0, -1);
    out.writeBytes(content);
    byte[] extra = buffer(28).putShort((short) 1).putShort((short) 24).putLong(size).putLong(size).putLong(header).array();
    return directory(name, 0, 0, -1, -1, extra);
  }

  /** A directory entry alone. */
  RawZip directory(String name, int flags, int method, int size, int header, byte[] extra) {
    byte[] text = name.getBytes(StandardCharsets.UTF_8);
    ByteBuffer entry = buffer(46 + text.length + extra.length).putInt(0x02014b50).putShort((short) 20).putShort((short) 20);
    entry.putShort((short) flags).putShort((short) method).putInt(0).putInt(0).putInt(size).putInt(size);
    entry.putShort((short) text.length).putShort((short) extra.length).putShort((short) 0).putShort((short) 0);
    entry.putShort((short) 0).putInt(0).putInt(header).put(text).put(extra);
    central.add(entry.array());
    return this;
  }

  int size() {
    return out.size();
  }

  byte[] end() {
    return end(central.size(), 0, new byte[0]);
  }

  byte[] end(int entries, int offBy, byte[] comment) {
    int begin = writeDirectory();
    int bytes = out.size() - begin;
    out.writeBytes(endRecord(entries, bytes, begin + offBy, comment.length).array());
    out.writeBytes(comment);
    return out.toByteArray();
  }

  /** The end with all numbers in a Zip64 record, {@code shift} bytes later than they are here. */
  byte[] end64(long shift) {
    int begin = writeDirectory();
    int bytes = out.size() - begin;
    long at = out.size() + shift;
    ByteBuffer end = buffer(76).putInt(0x06064b50).putLong(44).putInt(0).putInt(0).putInt(0);
    end.putLong(central.size()).putLong(central.size()).putLong(bytes).putLong(begin + shift);
    end.putInt(0x07064b50).putInt(0).putLong(at).putInt(1);
    out.writeBytes(end.array());
    out.writeBytes(endRecord(-1, -1, -1, 0).array());
    return out.toByteArray();
  }

  private int writeDirectory() {
    int begin = out.size();
    central.forEach(out::writeBytes);
    return begin;
  }

  private static ByteBuffer endRecord(int entries, int bytes, int begin, int comment) {
    return buffer(22)
        .putInt(0x06054b50)
        .putInt(0)
        .putShort((short) entries)
        .putShort((short) entries)
        .putInt(bytes)
        .putInt(begin)
        .putShort((short) comment);
  }

  private void local(String name, int flags, int method, int size) {
    byte[] text = name.getBytes(StandardCharsets.UTF_8);
    ByteBuffer header = buffer(30).putInt(0x04034b50).putShort((short) 20).putShort((short) flags).putShort((short) method);
    header.putInt(0).putInt(0).putInt(size).putInt(size).putShort((short) text.length).putShort((short) 0);
    out.writeBytes(header.array());
    out.writeBytes(text);
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
