// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import dev.motley.InvalidInputException;
import dev.motley.ResourceException;
import dev.motley.files.FileFailure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * A safetensors file, memory-mapped and fully validated when opened. Files larger than 2 GiB are
 * mapped in windows cut between tensors; one tensor may have at most 2^31 - 1 bytes.
 *
 * <p>Thread-safe. Views stay readable after {@link #close()}, because Java unmaps a file only when
 * nothing refers to it any more; the file must not be truncated while views are in use, or the JVM
 * may crash.
 */
public final class SafeTensors implements TensorFile {
  /** The reference reader's limit: a header this long is an attack, not a model. */
  static final int MAX_HEADER_BYTES = 100_000_000;

  private static final long WINDOW_BYTES = 1L << 30;

  private final Path file;
  private final SafeTensorsHeader header;
  private final Map<String, ByteBuffer> data;
  private volatile boolean closed;

  private SafeTensors(Path file, SafeTensorsHeader header, Map<String, ByteBuffer> data) {
    this.file = file;
    this.header = header;
    this.data = data;
  }

  /**
   * Opens and validates a file.
   *
   * @throws InvalidInputException if it is missing or breaks a rule of the format; the message
   *     names file and key
   * @throws ResourceException if it cannot be read or mapped
   */
  public static SafeTensors open(Path file) {
    return open(file, WINDOW_BYTES);
  }

  static SafeTensors open(Path file, long windowBytes) {
    if (Files.isDirectory(file)) {
      throw new InvalidInputException(file + ": is a folder, expected a safetensors file");
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long size = channel.size();
      int headerBytes = readHeaderLength(file, channel, size);
      long dataStart = Long.BYTES + headerBytes;
      String json = decode(file, read(file, channel, Long.BYTES, headerBytes));
      SafeTensorsHeader header = SafeTensorsHeader.parse(file.toString(), json, size - dataStart);
      return new SafeTensors(file, header, map(channel, header, dataStart, windowBytes));
    } catch (IOException e) {
      throw FileFailure.reading(file, e);
    }
  }

  @Override
  public Path file() {
    return file;
  }

  /** Names in the order of their data. */
  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(header.entries().keySet());
  }

  /** The header's string map {@code __metadata__}; empty if it has none. */
  public Map<String, String> metadata() {
    return Collections.unmodifiableMap(header.metadata());
  }

  /**
   * A tensor by name.
   *
   * @throws InvalidInputException if there is none, or if it has more than 2^31 - 1 bytes
   */
  @Override
  public TensorView tensor(String name) {
    if (closed) {
      throw new IllegalStateException(file + " is closed");
    }
    SafeTensorsHeader.Entry entry = header.entries().get(name);
    if (entry == null) {
      throw new InvalidInputException(file + ": no tensor " + Quote.of(name));
    }
    ByteBuffer bytes = data.get(name);
    if (bytes == null) {
      throw new InvalidInputException(
          file
              + ": tensor "
              + Quote.of(name)
              + " has "
              + (entry.end() - entry.begin())
              + " bytes; at most 2147483647 are supported in one tensor");
    }
    return new TensorView(name, entry.dtype(), entry.shape(), bytes);
  }

  @Override
  public String toString() {
    return file.toString();
  }

  @Override
  public void close() {
    closed = true;
  }

  private static int readHeaderLength(Path file, FileChannel channel, long size)
      throws IOException {
    if (size < Long.BYTES) {
      throw new InvalidInputException(
          file + ": " + size + " bytes are too few for a safetensors file");
    }
    long length = read(file, channel, 0, Long.BYTES).getLong();
    // Negative as a long: a length of 2^63 or more.
    if (length < 0 || length > MAX_HEADER_BYTES) {
      throw new InvalidInputException(
          file
              + ": header of "
              + Long.toUnsignedString(length)
              + " bytes, at most "
              + MAX_HEADER_BYTES
              + " are allowed; is it a safetensors file?");
    }
    if (length > size - Long.BYTES) {
      throw new InvalidInputException(
          file + ": header of " + length + " bytes in a file of " + size + " bytes; truncated?");
    }
    return (int) length;
  }

  private static ByteBuffer read(Path file, FileChannel channel, long position, int count)
      throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) {
      if (channel.read(bytes, position + bytes.position()) < 0) {
        throw new InvalidInputException(file + ": ended while its header was read");
      }
    }
    return bytes.flip();
  }

  private static String decode(Path file, ByteBuffer bytes) {
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(bytes)
          .toString(); // reports, never replaces
    } catch (CharacterCodingException e) {
      throw new InvalidInputException(file + ": header is not valid UTF-8", e);
    }
  }

  /**
   * Maps windows of whole tensors and slices them; tensors too large for a ByteBuffer are left out.
   */
  private static Map<String, ByteBuffer> map(
      FileChannel channel, SafeTensorsHeader header, long dataStart, long windowBytes)
      throws IOException {
    Map<String, ByteBuffer> slices = new HashMap<>();
    Map<String, SafeTensorsHeader.Entry> window = new LinkedHashMap<>();
    long begin = 0;
    for (var item : header.entries().entrySet()) {
      SafeTensorsHeader.Entry entry = item.getValue();
      if (entry.end() - entry.begin() > Integer.MAX_VALUE) {
        continue;
      }
      if (!window.isEmpty() && entry.end() - begin > windowBytes) {
        slice(channel, dataStart, window, slices);
        window.clear();
      }
      if (window.isEmpty()) {
        begin = entry.begin();
      }
      window.put(item.getKey(), entry);
    }
    slice(channel, dataStart, window, slices);
    return slices;
  }

  private static void slice(
      FileChannel channel,
      long dataStart,
      Map<String, SafeTensorsHeader.Entry> window,
      Map<String, ByteBuffer> slices)
      throws IOException {
    if (window.isEmpty()) {
      return;
    }
    long begin = window.values().iterator().next().begin();
    long end = window.values().stream().mapToLong(SafeTensorsHeader.Entry::end).max().orElse(begin);
    ByteBuffer mapped =
        end == begin
            ? ByteBuffer.allocateDirect(0).asReadOnlyBuffer()
            : channel.map(MapMode.READ_ONLY, dataStart + begin, end - begin);
    window.forEach(
        (name, entry) ->
            slices.put(
                name,
                mapped.slice((int) (entry.begin() - begin), (int) (entry.end() - entry.begin()))));
  }
}
