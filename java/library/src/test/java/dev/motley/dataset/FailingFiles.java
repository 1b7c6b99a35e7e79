// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;

/**
 * A file system that dies at a chosen operation, leaving a random part of a write behind, or that
 * has room for a chosen number of bytes only. Syncing is merely noted; after a death {@link
 * #losePower} takes back a random part of what was never synced.
 */
final class FailingFiles implements StoreFiles {

  private final Random random;
  private int operationsLeft;
  private long bytesLeft;
  private boolean dead;
  private final Map<Path, Long> forced = new HashMap<>();

  private FailingFiles(Random random, int operationsLeft, long bytesLeft) {
    this.random = random;
    this.operationsLeft = operationsLeft;
    this.bytesLeft = bytesLeft;
  }

  static FailingFiles dyingAt(int operation, Random random) {
    return new FailingFiles(random, operation, Long.MAX_VALUE / 2);
  }

  /** Never fails; only spares the time that syncing takes. */
  static FailingFiles sound() {
    return dyingAt(Integer.MAX_VALUE, new Random(0));
  }

  static FailingFiles withRoomFor(long bytes) {
    return new FailingFiles(new Random(0), Integer.MAX_VALUE, bytes);
  }

  boolean isDead() {
    return dead;
  }

  private boolean diesNow() {
    dead |= operationsLeft-- <= 0;
    return dead;
  }

  private void step() throws IOException {
    if (diesNow()) {
      throw new IOException("crash");
    }
  }

  void losePower() throws IOException {
    for (Map.Entry<Path, Long> one : forced.entrySet()) {
      if (Files.exists(one.getKey())) {
        long size = Files.size(one.getKey());
        long kept = one.getValue() + (long) (random.nextDouble() * (size - one.getValue() + 1));
        if (kept < size) {
          try (StoreFile file = StoreFiles.REAL.open(one.getKey())) {
            file.truncate(kept);
          }
        }
      }
    }
  }

  @Override
  public StoreFile open(Path path) throws IOException {
    step();
    long size = Files.exists(path) ? Files.size(path) : 0;
    forced.putIfAbsent(path, size);
    StoreFile file = StoreFiles.REAL.open(path);
    return new StoreFile() {
      @Override
      public void write(ByteBuffer bytes, long position) throws IOException {
        boolean dies = diesNow();
        int length = bytes.remaining();
        int written = dies ? random.nextInt(length + 1) : (int) Math.min(length, bytesLeft);
        file.write(bytes.slice(0, written), position);
        bytesLeft -= written;
        if (dies) {
          throw new IOException("crash");
        }
        if (written < length) {
          throw new IOException("No space left on device");
        }
      }

      @Override
      public void force() throws IOException {
        step();
        forced.put(path, file.size());
      }

      @Override
      public void truncate(long length) throws IOException {
        step();
        bytesLeft += Math.max(0, file.size() - length);
        file.truncate(length);
        forced.merge(path, length, Math::min);
      }

      @Override
      public long size() throws IOException {
        return file.size();
      }

      @Override
      public void close() throws IOException {
        file.close();
      }
    };
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    step();
    StoreFiles.REAL.rename(from, to);
    forced.put(to, forced.getOrDefault(from, Files.size(to)));
    forced.remove(from);
  }

  @Override
  public void delete(Path path) throws IOException {
    step();
    StoreFiles.REAL.delete(path);
    forced.remove(path);
  }

  @Override
  public void syncFolder(Path folder) throws IOException {
    step();
  }
}
