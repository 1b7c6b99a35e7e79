// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;
import dev.motley.ResourceException;
import dev.motley.files.FileFailure;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.tukaani.xz.XZInputStream;

/** Data files that may be packed as {@code .gz} or {@code .xz}. */
final class PackedFiles {
  /** Dictionaries in use have at most 64 MiB. */
  private static final int XZ_MEMORY_KIB = 200_000;

  private static final int BUFFER = 1 << 16;

  private PackedFiles() {}

  /** Reads a whole file through a stream. */
  @FunctionalInterface
  interface Body<T> {
    T read(InputStream in) throws IOException;
  }

  /** The file itself or its packed form, whichever is there. */
  static Optional<Path> find(Path file) {
    return Stream.of("", ".gz", ".xz")
        .map(ending -> file.resolveSibling(file.getFileName() + ending))
        .filter(Files::isRegularFile)
        .findFirst();
  }

  /**
   * Opens, unpacks and reads a file.
   *
   * @throws InvalidInputException if it is missing or its packing is damaged or cut short
   * @throws ResourceException if it cannot be read
   */
  static <T> T read(Path file, Body<T> body) {
    if (!Files.isRegularFile(file)) {
      throw new InvalidInputException(file + ": no such file");
    }
    try (InputStream raw = new BufferedInputStream(Files.newInputStream(file), BUFFER);
        InputStream in = unpack(file, raw)) {
      return body.read(in);
    } catch (EOFException e) {
      throw new InvalidInputException(file + ": packed file is cut short", e);
    } catch (ZipException | org.tukaani.xz.XZIOException e) {
      throw new InvalidInputException(file + ": packed file is damaged: " + FileFailure.reason(e), e);
    } catch (IOException e) {
      throw FileFailure.reading(file, e);
    }
  }

  /** Exactly that many bytes and then the end. */
  static byte[] readExactly(Path file, InputStream in, int count) throws IOException {
    byte[] bytes = in.readNBytes(count);
    if (bytes.length < count) {
      throw new InvalidInputException(
          file + ": truncated: " + bytes.length + " bytes of data, expected " + count);
    }
    if (in.read() >= 0) {
      throw new InvalidInputException(
          file + ": more than the expected " + count + " bytes of data");
    }
    return bytes;
  }

  /** The lines of a text file, without empty ones: class names. */
  static List<String> names(Path file) {
    // a decoder of its own: what is not UTF-8 is an error, not a replacement character
    return read(file, in -> StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(in.readAllBytes())).toString())
        .lines()
        .map(String::strip)
        .filter(line -> !line.isEmpty())
        .toList();
  }

  private static InputStream unpack(Path file, InputStream raw) throws IOException {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    if (name.endsWith(".gz") || name.endsWith(".tgz")) {
      return new BufferedInputStream(new GZIPInputStream(raw, BUFFER), BUFFER);
    }
    return name.endsWith(".xz")
        ? new BufferedInputStream(new XZInputStream(raw, XZ_MEMORY_KIB), BUFFER)
        : raw;
  }
}
