// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import dev.motley.InvalidInputException;
import dev.motley.ResourceException;
import dev.motley.files.FileFailure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.List;
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

  private final Path file;
  private final SafeTensorsHeader header;
  private final long dataStart;
  private final Map<ByteRange, ByteBuffer> data;
  private volatile boolean closed;

  private SafeTensors(Path file, SafeTensorsHeader header, long dataStart, Map<ByteRange, ByteBuffer> data) {
    this.file = file;
    this.header = header;
    this.dataStart = dataStart;
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
    return open(file, ByteRange.WINDOW_BYTES);
  }

  static SafeTensors open(Path file, long windowBytes) {
    if (Files.isDirectory(file)) {
      throw new InvalidInputException(file + ": is a folder, expected a safetensors file");
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long size = channel.size();
      int headerBytes = readHeaderLength(file, channel, size);
      long dataStart = Long.BYTES + headerBytes;
      String json = decode(file, FileBytes.read(file, channel, Long.BYTES, headerBytes));
      SafeTensorsHeader header = SafeTensorsHeader.parse(file.toString(), json, size - dataStart);
      List<ByteRange> ranges =
          header.entries().values().stream().map(entry -> range(dataStart, entry)).toList();
      return new SafeTensors(
          file, header, dataStart, ByteRange.map(channel, ranges, windowBytes));
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
    ByteBuffer bytes = data.get(range(dataStart, entry));
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

  private static ByteRange range(long dataStart, SafeTensorsHeader.Entry entry) {
    return new ByteRange(dataStart + entry.begin(), entry.end() - entry.begin());
  }

  private static int readHeaderLength(Path file, FileChannel channel, long size)
      throws IOException {
    if (size < Long.BYTES) {
      throw new InvalidInputException(
          file + ": " + size + " bytes are too few for a safetensors file");
    }
    long length = FileBytes.read(file, channel, 0, Long.BYTES).getLong();
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
}
