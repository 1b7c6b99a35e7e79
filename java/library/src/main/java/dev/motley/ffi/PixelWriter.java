// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Packs pixels: in memory while they are few, else in a file, as {@link PixelStorage} says. Pictures may be put by several threads and in
 * any order, but in the end they must leave no gap.
 */
public final class PixelWriter implements AutoCloseable {

  /** Where the bytes go. Many threads may put at a time; whatever else is done is done by one, while none puts. */
  interface Place extends AutoCloseable {
    /** Bytes that can be put. */
    long capacity();

    void put(long at, byte[] bytes);

    /** Hands the first bytes over; this is of no further use then. */
    PackedPixels finish(long size, PixelStorage storage);

    /** Gives the space back. */
    @Override
    void close();
  }

  private final String what;
  private final PixelStorage storage;
  private final long limit;
  private final AtomicLong size = new AtomicLong();
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
  private Place place;
  private boolean open = true;

  /**
   * Takes memory, or makes a file, for as many bytes as will probably come.
   *
   * @param what whose pixels they are, for messages
   * @param expected bytes; more may come
   * @throws dev.motley.ResourceException if memory or disk cannot take them, or the file cannot be made
   */
  public PixelWriter(String what, PixelStorage storage, long expected) {
    this.what = what;
    this.storage = storage;
    limit = storage.limit();
    place = expected <= limit ? PixelMemory.of(what, expected) : PixelFile.in(storage.folder(), what, expected);
  }

  /**
   * Puts a picture.
   *
   * @param at its first byte
   * @throws dev.motley.ResourceException if there is no room for it
   */
  public void put(long at, byte[] bytes) {
    long end = Math.addExact(at, bytes.length);
    Lock shared = lock.readLock();
    shared.lock();
    try {
      requireOpen();
      if (end <= place.capacity()) {
        putAndCount(at, bytes, end);
        return;
      }
    } finally {
      shared.unlock();
    }
    Lock alone = lock.writeLock();
    alone.lock();
    try {
      requireOpen();
      makeRoom(end);
      putAndCount(at, bytes, end);
    } finally {
      alone.unlock();
    }
  }

  /** What could not be put does not count. */
  private void putAndCount(long at, byte[] bytes, long end) {
    place.put(at, bytes);
    size.accumulateAndGet(end, Math::max);
  }

  private void makeRoom(long end) {
    if (end > place.capacity() && place instanceof PixelMemory memory) {
      if (end <= limit) {
        memory.grow(Math.min(limit, Math.max(end, 2 * memory.capacity())));
      } else {
        place = memory.moveTo(PixelFile.in(storage.folder(), what, end));
      }
    }
  }

  /**
   * Ends the writing.
   *
   * @return the bytes up to the last that was put; what failed to be put is not among them
   */
  public PackedPixels finish() {
    Lock alone = lock.writeLock();
    alone.lock();
    try {
      requireOpen();
      PackedPixels pixels = place.finish(size.get(), storage);
      open = false;
      return pixels;
    } finally {
      alone.unlock();
    }
  }

  private void requireOpen() {
    if (!open) {
      throw new IllegalStateException("PixelWriter is closed");
    }
  }

  /** Gives up what was put, unless it was handed over; may be called again. */
  @Override
  public void close() {
    Lock alone = lock.writeLock();
    alone.lock();
    try {
      if (open) {
        open = false;
        place.close();
      }
    } finally {
      alone.unlock();
    }
  }
}
