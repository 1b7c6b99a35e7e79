// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Optional;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;

/** The files of a {@code .tar} of any origin, plain or packed, from first to last. */
final class TarStream {
  /** Looks at one file after the other. */
  @FunctionalInterface
  interface Visitor {
    /** Returns false to stop. */
    boolean visit(TarStream.Entry entry) throws IOException;
  }

  /** Tells a disk or a packing that fails from an archive that is not one. */
  private static final class Below extends FilterInputStream {
    private boolean failed;

    Below(InputStream in) {
      super(in);
    }

    @Override
    public int read() throws IOException {
      failed = true;
      int value = in.read();
      failed = false;
      return value;
    }

    @Override
    public int read(byte[] bytes, int from, int count) throws IOException {
      failed = true;
      int read = in.read(bytes, from, count);
      failed = false;
      return read;
    }

    @Override
    public long skip(long count) throws IOException {
      failed = true;
      long skipped = in.skip(count);
      failed = false;
      return skipped;
    }
  }

  private final Path file;
  private final Below below;
  private final TarArchiveInputStream tar;

  private TarStream(Path file, InputStream in) {
    this.file = file;
    below = new Below(in);
    tar = new TarArchiveInputStream(below, "UTF-8"); // has nothing of its own to close
  }

  /** A file of the archive, while it is its turn. */
  final class Entry {
    private final TarArchiveEntry entry;

    private Entry(TarArchiveEntry entry) {
      this.entry = entry;
    }

    /** Its path in the archive. */
    String name() {
      return entry.getName();
    }

    /** Its bytes. */
    byte[] content() throws IOException {
      if (entry.getSize() > PicturePacker.MAX_FILE_BYTES) {
        throw new InvalidInputException(
            "%s: %s: larger than %d bytes".formatted(file, name(), PicturePacker.MAX_FILE_BYTES));
      }
      byte[] bytes;
      try {
        bytes = tar.readNBytes((int) entry.getSize());
      } catch (IOException e) {
        throw damaged(e);
      }
      if (bytes.length < entry.getSize()) {
        throw damaged(new IOException("the archive ends in " + name()));
      }
      return bytes;
    }
  }

  /**
   * Visits all files but the hidden ones.
   *
   * @throws InvalidInputException if the archive or its packing is damaged or cut short
   */
  static void visit(Path file, Visitor visitor) {
    PackedFiles.read(
        file,
        in -> {
          new TarStream(file, in).visit(visitor);
          return file;
        });
  }

  private void visit(Visitor visitor) throws IOException {
    Optional<TarArchiveEntry> entry = next();
    while (entry.isPresent()) {
      String name = entry.get().getName();
      boolean hidden = name.substring(name.lastIndexOf('/') + 1).startsWith(".");
      if (entry.get().isFile() && !hidden && !visitor.visit(new Entry(entry.get()))) {
        return;
      }
      entry = next();
    }
  }

  private Optional<TarArchiveEntry> next() throws IOException {
    try {
      return Optional.ofNullable(tar.getNextEntry());
    } catch (IOException e) {
      throw damaged(e);
    } catch (RuntimeException e) { // numbers that are none
      throw damaged(new IOException(e));
    }
  }

  private InvalidInputException damaged(IOException e) throws IOException {
    if (below.failed) {
      throw e;
    }
    return new InvalidInputException(file + ": damaged or truncated .tar file", e);
  }
}
