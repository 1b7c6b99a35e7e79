// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The right to change a store: a lock on a file of its own, which the system drops when the process
 * dies.
 */
final class StoreLock implements Closeable {

  static final String FILE = "lock";

  /**
   * The folders locked by this process. POSIX drops a process's lock on a file when the process
   * closes any of its descriptors for it, so a second writer here must be refused before it opens
   * the file.
   */
  private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

  private final Path folder;
  private final FileChannel channel;

  private StoreLock(Path folder, FileChannel channel) {
    this.folder = folder;
    this.channel = channel;
  }

  /** Takes the lock of a folder that exists. */
  static StoreLock take(Path folder) throws IOException {
    Path real = folder.toRealPath();
    if (!HELD.add(real)) {
      throw inUse(folder);
    }
    try {
      FileChannel channel =
          FileChannel.open(real.resolve(FILE), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      if (channel.tryLock() != null) {
        return new StoreLock(real, channel);
      }
      channel.close();
    } catch (IOException | RuntimeException e) {
      HELD.remove(real);
      throw e;
    }
    HELD.remove(real);
    throw inUse(folder);
  }

  private static InvalidInputException inUse(Path folder) {
    return new InvalidInputException(
        "folder %s is being written by another process; wait for it or stop it".formatted(folder));
  }

  @Override
  public void close() {
    if (!channel.isOpen()) {
      return;
    }
    try {
      channel.close();
    } catch (IOException e) {
      // Nothing was written through this channel, and the lock goes with it either way.
      System.getLogger(StoreLock.class.getName())
          .log(System.Logger.Level.DEBUG, "closing the lock: {0}", e.getMessage());
    } finally {
      HELD.remove(folder);
    }
  }
}
