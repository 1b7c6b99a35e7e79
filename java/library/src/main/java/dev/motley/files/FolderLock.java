// SPDX-License-Identifier: Apache-2.0
package dev.motley.files;

import dev.motley.InvalidInputException;
import dev.motley.ResourceException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The right to change a folder: a lock on a file of its own in it, which the system drops when the
 * process dies.
 */
public final class FolderLock implements AutoCloseable {

  /** The file's name; it stays when the lock goes. */
  public static final String FILE = "lock";

  /**
   * The folders locked by this process. POSIX drops a process's lock on a file when the process
   * closes any of its descriptors for it, so a second writer here must be refused before it opens
   * the file.
   */
  private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

  private final Path folder;
  private final FileChannel channel;

  private FolderLock(Path folder, FileChannel channel) {
    this.folder = folder;
    this.channel = channel;
  }

  /**
   * Takes the lock.
   *
   * @param folder which exists
   * @throws InvalidInputException if another process, or another part of this one, holds it
   * @throws ResourceException if the lock's file cannot be made
   */
  public static FolderLock take(Path folder) {
    try {
      Path real = folder.toRealPath();
      if (!HELD.add(real)) {
        throw inUse(folder);
      }
      try {
        return lock(folder, real);
      } catch (IOException | RuntimeException | Error e) {
        HELD.remove(real);
        throw e;
      }
    } catch (IOException e) {
      throw new ResourceException(
          "cannot open %s for writing: %s".formatted(folder, FileFailure.reason(e)), e);
    }
  }

  private static FolderLock lock(Path folder, Path real) throws IOException {
    FileChannel channel =
        FileChannel.open(real.resolve(FILE), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      if (channel.tryLock() == null) {
        throw inUse(folder);
      }
      return new FolderLock(real, channel);
    } catch (IOException | RuntimeException | Error e) {
      channel.close();
      throw e;
    }
  }

  private static InvalidInputException inUse(Path folder) {
    return new InvalidInputException(
        "folder %s is being written by another process; wait for it or stop it".formatted(folder));
  }

  /** Lets the folder go; may be called again. */
  @Override
  public void close() {
    if (!channel.isOpen()) {
      return;
    }
    try {
      channel.close();
    } catch (IOException e) {
      // Nothing was written through this channel, and the lock goes with it either way.
      System.getLogger(FolderLock.class.getName())
          .log(System.Logger.Level.DEBUG, "closing the lock: {0}", FileFailure.reason(e));
    } finally {
      HELD.remove(folder);
    }
  }
}
