// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import dev.motley.InvalidInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Where the entries of a zip archive lie in its file (APPNOTE.TXT 6.3, sections 4.3 to 4.5, Zip64 included): what mapping needs and
 * java.util.zip does not tell. Sizes are the central directory's, so that data descriptors need not be read; an entry that is asked
 * for must be stored as it is, and must end before the next begins.
 */
final class ZipDirectory {
  /** The directory of 5,000 tensors takes half a megabyte. */
  static final int MAX_BYTES = 16 << 20;

  private static final int END_SIGNATURE = 0x06054b50;
  private static final int END_BYTES = 22;
  private static final int MAX_COMMENT_BYTES = 0xffff;
  private static final int LOCATOR_SIGNATURE = 0x07064b50;
  private static final int LOCATOR_BYTES = 20;
  private static final int END64_SIGNATURE = 0x06064b50;
  private static final int END64_BYTES = 56;
  private static final int CENTRAL_SIGNATURE = 0x02014b50;
  private static final int CENTRAL_BYTES = 46;
  private static final int LOCAL_SIGNATURE = 0x04034b50;
  private static final int LOCAL_BYTES = 30;
  private static final int ZIP64_EXTRA = 1;
  private static final long IN_ZIP64 = 0xffffffffL;
  private static final int ENCRYPTED = 1;

  /** What the directory says of an entry; sizes and place may be anything. */
  private record Entry(String name, boolean stored, long size, long header) {}

  /** Where the directory lies. */
  private record Place(long begin, long bytes, long entries) {}

  private final Path file;
  private final FileChannel channel;
  private final Map<String, Entry> entries = new LinkedHashMap<>();

  /** Where the entries' headers begin, and where the directory does. */
  private final TreeSet<Long> boundaries = new TreeSet<>();

  private ZipDirectory(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /**
   * Reads the directory.
   *
   * @param channel stays open as long as {@link #locate} is used
   * @throws InvalidInputException if the archive is damaged
   */
  static ZipDirectory read(Path file, FileChannel channel) throws IOException {
    ZipDirectory zip = new ZipDirectory(file, channel);
    zip.readEntries(zip.findDirectory());
    return zip;
  }

  /** Names in the order of the directory. */
  Set<String> names() {
    return entries.keySet();
  }

  /**
   * The bytes of an entry.
   *
   * @throws InvalidInputException if there is no such entry, or if its bytes are not there as they are
   */
  ByteRange locate(String name) throws IOException {
    Entry entry = entries.get(name);
    if (entry == null) {
      throw bad("has no entry " + Quote.of(name));
    }
    if (!entry.stored) {
      throw bad("entry " + Quote.of(name) + " is compressed or encrypted; PyTorch stores all entries as they are");
    }
    ByteBuffer header = bytes(entry.header, LOCAL_BYTES);
    if (header.getInt(0) != LOCAL_SIGNATURE) {
      throw bad("entry " + Quote.of(name) + " has no header");
    }
    int nameBytes = u2(header, 26);
    if (!name.equals(text(bytes(entry.header + LOCAL_BYTES, nameBytes)))) {
      throw bad("entry " + Quote.of(name) + " has another name in its own header");
    }
    long begin = entry.header + LOCAL_BYTES + nameBytes + u2(header, 28);
    long limit = boundaries.higher(entry.header);
    if (begin > limit || entry.size > limit - begin) {
      throw bad("entry " + Quote.of(name) + " overlaps what comes after it");
    }
    return new ByteRange(begin, entry.size);
  }

  private Place findDirectory() throws IOException {
    long size = channel.size();
    int tail = (int) Math.min(size, END_BYTES + MAX_COMMENT_BYTES);
    ByteBuffer bytes = bytes(size - tail, tail);
    for (int at = tail - END_BYTES; at >= 0; at--) {
      if (bytes.getInt(at) == END_SIGNATURE && u2(bytes, at + 20) == tail - END_BYTES - at) {
        return directoryAt(size - tail + at, bytes.slice(at, END_BYTES).order(ByteOrder.LITTLE_ENDIAN));
      }
    }
    throw bad("is a zip archive without an end; truncated?");
  }

  private Place directoryAt(long endRecord, ByteBuffer end) throws IOException {
    Place place = new Place(u4(end, 16), u4(end, 12), u2(end, 10));
    long limit = endRecord;
    int disks = u2(end, 4) | u2(end, 6);
    if (endRecord >= LOCATOR_BYTES) {
      ByteBuffer locator = bytes(endRecord - LOCATOR_BYTES, LOCATOR_BYTES);
      if (locator.getInt(0) == LOCATOR_SIGNATURE) {
        limit = locator.getLong(8);
        ByteBuffer end64 = bytes(limit, END64_BYTES);
        if (end64.getInt(0) != END64_SIGNATURE) {
          throw bad("has a Zip64 end that is not where it should be");
        }
        place = new Place(end64.getLong(48), end64.getLong(40), end64.getLong(32));
        disks = end64.getInt(16) | end64.getInt(20);
      }
    }
    if (disks != 0) {
      throw bad("is one part of a split zip archive");
    }
    if (place.bytes < 0 || place.begin < 0 || place.begin > limit || place.bytes > limit - place.begin) {
      throw bad("has a zip directory that lies outside of the file; truncated?");
    }
    if (place.bytes > MAX_BYTES || place.entries < 0 || place.entries > place.bytes / CENTRAL_BYTES) {
      throw bad("has a zip directory of %d bytes for %d entries; at most %d bytes are read"
          .formatted(place.bytes, place.entries, MAX_BYTES));
    }
    return place;
  }

  private void readEntries(Place place) throws IOException {
    ByteBuffer directory = bytes(place.begin, (int) place.bytes);
    boundaries.add(place.begin);
    for (long i = 0; i < place.entries; i++) {
      Entry entry = readEntry(directory);
      if (entries.put(entry.name, entry) != null) {
        throw bad("has two entries " + Quote.of(entry.name));
      }
      if (entry.header < 0 || entry.header > place.begin || entry.size < 0) {
        throw bad("entry " + Quote.of(entry.name) + " lies outside of the file");
      }
      if (!boundaries.add(entry.header)) {
        throw bad("entry " + Quote.of(entry.name) + " overlaps another");
      }
    }
    if (directory.hasRemaining()) {
      throw bad("has a zip directory with bytes left over");
    }
  }

  private Entry readEntry(ByteBuffer directory) {
    if (directory.remaining() < CENTRAL_BYTES || directory.getInt(directory.position()) != CENTRAL_SIGNATURE) {
      throw bad("has a damaged zip directory");
    }
    ByteBuffer fixed = part(directory, CENTRAL_BYTES);
    ByteBuffer nameBytes = part(directory, u2(fixed, 28));
    ByteBuffer extra = part(directory, u2(fixed, 30));
    part(directory, u2(fixed, 32));
    long packed = u4(fixed, 20);
    long size = u4(fixed, 24);
    long header = u4(fixed, 42);
    ByteBuffer wide = zip64(extra);
    size = size == IN_ZIP64 ? wide(wide) : size;
    packed = packed == IN_ZIP64 ? wide(wide) : packed;
    header = header == IN_ZIP64 ? wide(wide) : header;
    boolean stored = u2(fixed, 10) == 0 && (u2(fixed, 8) & ENCRYPTED) == 0 && packed == size;
    return new Entry(text(nameBytes), stored, size, header);
  }

  /** The Zip64 field of an entry's extra fields; empty if it has none. */
  private ByteBuffer zip64(ByteBuffer extra) {
    while (extra.remaining() >= 4) {
      int id = extra.getShort() & 0xffff;
      ByteBuffer field = part(extra, extra.getShort() & 0xffff);
      if (id == ZIP64_EXTRA) {
        return field;
      }
    }
    return ByteBuffer.allocate(0);
  }

  private long wide(ByteBuffer zip64) {
    if (zip64.remaining() < Long.BYTES) {
      throw bad("has a damaged zip directory");
    }
    return zip64.getLong();
  }

  /** The next bytes, which are passed. */
  private ByteBuffer part(ByteBuffer from, int count) {
    if (from.remaining() < count) {
      throw bad("has a damaged zip directory");
    }
    ByteBuffer part = from.slice(from.position(), count).order(ByteOrder.LITTLE_ENDIAN);
    from.position(from.position() + count);
    return part;
  }

  private ByteBuffer bytes(long begin, int count) throws IOException {
    if (begin < 0 || begin > channel.size() - count) {
      throw bad("ends before a record of its zip directory; truncated?");
    }
    return FileBytes.read(file, channel, begin, count);
  }

  private String text(ByteBuffer bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
    } catch (CharacterCodingException e) {
      throw bad("has an entry whose name is not valid UTF-8");
    }
  }

  private static int u2(ByteBuffer bytes, int at) {
    return bytes.getShort(at) & 0xffff;
  }

  private static long u4(ByteBuffer bytes, int at) {
    return bytes.getInt(at) & 0xffffffffL;
  }

  private InvalidInputException bad(String what) {
    return new InvalidInputException(file + ": " + what);
  }
}
