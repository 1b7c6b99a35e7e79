// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import dev.motley.InvalidInputException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.security.MessageDigest;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/**
 * Pixels of any number of pictures in one piece outside of Java's heap, in memory or in a mapped file, as {@link PixelWriter} made them. They
 * never change, and any thread may read them. Closing gives the space back at once; of pixels that are not closed the garbage
 * collector does.
 */
public final class PackedPixels implements AutoCloseable {
  private static final Cleaner CLEANER = Cleaner.create();

  /** Bytes hashed at a time: what {@link MessageDigest} takes of foreign memory it copies piece by piece anyway. */
  private static final int PIECE = 1 << 20;

  private final MemorySegment segment;
  private final PixelStorage storage;
  private final boolean mapped;
  private final Cleaner.Cleanable space;
  private final Set<NativeImages> lent = ConcurrentHashMap.newKeySet();

  /**
   * @param arena closed with this object, and of no other use
   * @param segment of that arena
   */
  PackedPixels(Arena arena, MemorySegment segment, PixelStorage storage, boolean mapped) {
    this.segment = segment;
    this.storage = storage;
    this.mapped = mapped;
    space = CLEANER.register(this, arena::close);
  }

  /** A copy of bytes. */
  public static PackedPixels of(byte[] bytes) {
    try (var writer = new PixelWriter("pixels", PixelStorage.standard(), bytes.length)) {
      writer.put(0, bytes);
      return writer.finish();
    }
  }

  /** Bytes. */
  public long size() {
    return segment.byteSize();
  }

  /** Whether they lie in a file. */
  public boolean isMapped() {
    return mapped;
  }

  /** How they were to be kept, which is how others that are made of them should be. */
  public PixelStorage storage() {
    return storage;
  }

  /**
   * Copies some of them.
   *
   * @param from first byte
   * @param bytes filled
   * @throws IllegalStateException if this is closed
   */
  public void read(long from, byte[] bytes) {
    if (from < 0 || from > size() - bytes.length) {
      throw new InvalidInputException("bytes [%,d, %,d) of %,d".formatted(from, from + bytes.length, size()));
    }
    try {
      requireOpen();
      MemorySegment.copy(segment, ValueLayout.JAVA_BYTE, from, bytes, 0, bytes.length);
    } finally {
      Reference.reachabilityFence(this); // or the Cleaner may close the arena while this copies
    }
  }

  /** Feeds all of them to a digest. */
  public void digest(MessageDigest digest) {
    var piece = new byte[(int) Math.min(PIECE, size())];
    try {
      for (long at = 0; at < size(); at += piece.length) {
        int length = (int) Math.min(piece.length, size() - at);
        requireOpen();
        MemorySegment.copy(segment, ValueLayout.JAVA_BYTE, at, piece, 0, length);
        digest.update(piece, 0, length);
      }
    } finally {
      Reference.reachabilityFence(this); // as in read
    }
  }

  /** Makes images that read these pixels, and are closed before them. */
  synchronized NativeImages lend(Function<MemorySegment, NativeImages> make) {
    requireOpen();
    NativeImages images = make.apply(segment);
    lent.removeIf(other -> !other.isOpen());
    lent.add(images);
    return images;
  }

  private void requireOpen() {
    if (!segment.scope().isAlive()) {
      throw new IllegalStateException("PackedPixels is closed");
    }
  }

  /** Gives the space back, after a call that reads it has ended; may be called again. */
  @Override
  public synchronized void close() {
    lent.forEach(NativeImages::close);
    lent.clear();
    space.clean();
  }
}
