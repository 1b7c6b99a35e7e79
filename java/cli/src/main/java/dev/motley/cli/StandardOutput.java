// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The standard output stream, remembering the first write that failed: {@link System#out} and a {@link java.io.PrintWriter} keep
 * such a failure to themselves, and a result that never arrived would look like success. What comes after it is dropped.
 */
final class StandardOutput extends OutputStream {
  private final OutputStream to;
  private Optional<IOException> failure = Optional.empty();

  StandardOutput() {
    this(new FileOutputStream(FileDescriptor.out));
  }

  StandardOutput(OutputStream to) {
    this.to = to;
  }

  @Override
  public void write(int b) {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public synchronized void write(byte[] bytes, int from, int length) {
    if (failure.isEmpty()) {
      try {
        to.write(bytes, from, length);
      } catch (IOException e) {
        failure = Optional.of(e);
      }
    }
  }

  /** What kept a result from being written, if anything did. */
  synchronized Optional<IOException> failure() {
    return failure;
  }

  /** Whether that was a reader who had seen enough, such as {@code head}: the system's words for it depend on the language. */
  static boolean readerLeft(IOException failure) {
    if (String.valueOf(failure.getMessage()).contains("Broken pipe")) {
      return true;
    }
    try {
      return Files.readSymbolicLink(Path.of("/proc/self/fd/1")).toString().startsWith("pipe:");
    } catch (IOException | UnsupportedOperationException e) {
      return false;
    }
  }
}
