// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Owns one opaque handle of {@code motley.h}: used by one thread at a time, destroyed once, after
 * the handles that depend on it. Where a call needs several, parents are taken before children.
 */
abstract class NativeHandle implements AutoCloseable {

  private final ReentrantLock lock = new ReentrantLock();
  private final Set<NativeHandle> children = ConcurrentHashMap.newKeySet();
  private final MethodHandle destroy;
  private final Optional<Object> borrowed;
  private final Optional<LeakWatch> watch;
  private volatile MemorySegment pointer;

  NativeHandle(MemorySegment pointer, MethodHandle destroy) {
    this(pointer, destroy, Optional.empty());
  }

  /**
   * @param borrowed what native code reads through this handle, which must not be collected before
   */
  NativeHandle(MemorySegment pointer, MethodHandle destroy, Optional<Object> borrowed) {
    this.pointer = pointer;
    this.destroy = destroy;
    this.borrowed = borrowed;
    this.watch = LeakWatch.start(this);
  }

  /** Makes a native object through a call that writes its handle to its first argument. */
  static MemorySegment create(Create call) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
      Native.check(error -> call.run(out, error));
      return out.get(ValueLayout.ADDRESS, 0);
    }
  }

  @FunctionalInterface
  interface Create {
    int run(MemorySegment out, MemorySegment error) throws Throwable;
  }

  /** Closes {@code child} before this handle, should it still be open then. */
  final <T extends NativeHandle> T adopt(T child) {
    children.removeIf(other -> !other.isOpen());
    children.add(child);
    return child;
  }

  /** Takes the handle for this thread until the use is closed. */
  final Use use() {
    refuseOwnCallback();
    lock.lock();
    if (!isOpen()) {
      lock.unlock();
      throw new IllegalStateException(name() + " is closed");
    }
    return new Use(pointer, this);
  }

  record Use(MemorySegment pointer, NativeHandle of) implements AutoCloseable {
    @Override
    public void close() {
      of.lock.unlock();
      Reference.reachabilityFence(of.borrowed);
    }
  }

  final boolean isOpen() {
    return pointer.address() != 0;
  }

  /** Frees the native object, and first those that were made from it. May be called again. */
  @Override
  public final void close() {
    refuseOwnCallback();
    lock.lock();
    try {
      if (isOpen()) {
        children.forEach(NativeHandle::close);
        children.clear();
        MemorySegment closing = pointer;
        pointer = MemorySegment.NULL;
        watch.ifPresent(LeakWatch::stop);
        Native.plain(
            () -> {
              destroy.invokeExact(closing);
              return true;
            });
      }
    } finally {
      lock.unlock();
    }
  }

  private void refuseOwnCallback() {
    if (lock.isHeldByCurrentThread()) {
      throw new IllegalStateException(name() + " cannot be used from its own progress callback");
    }
  }

  private String name() {
    return getClass().getSimpleName();
  }

  /** Under {@code -Dmotley.trackLeaks}, logs where a handle that was never closed was created. */
  private static final class LeakWatch implements Runnable {

    private static final System.Logger LOG = System.getLogger(NativeHandle.class.getName());
    private static final Cleaner CLEANER = Cleaner.create();

    private final String name;
    private final Throwable created = new Throwable("created here");
    private volatile boolean stopped;

    private LeakWatch(String name) {
      this.name = name;
    }

    static Optional<LeakWatch> start(NativeHandle handle) {
      if (!Boolean.getBoolean("motley.trackLeaks")) {
        return Optional.empty();
      }
      var watch = new LeakWatch(handle.name());
      CLEANER.register(handle, watch);
      return Optional.of(watch);
    }

    void stop() {
      stopped = true;
    }

    @Override
    public void run() {
      if (!stopped) {
        LOG.log(Level.WARNING, name + " was never closed", created);
      }
    }
  }
}
