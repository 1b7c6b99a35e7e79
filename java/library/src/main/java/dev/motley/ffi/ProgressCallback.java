// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import static java.lang.foreign.MemoryLayout.PathElement.groupElement;

import dev.motley.CancelledException;
import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.util.Optional;

/**
 * A {@link Progress} as a C function pointer. An exception that left an upcall would end the JVM:
 * it is kept, the call is cancelled, and {@link #run} throws it once the call has returned.
 */
final class ProgressCallback {

  private static final MethodHandle UPDATE = findUpdate();
  private static final long DONE = Header.PROGRESS.byteOffset(groupElement("done"));
  private static final long TOTAL = Header.PROGRESS.byteOffset(groupElement("total"));
  private static final long VALUE = Header.PROGRESS.byteOffset(groupElement("value"));
  private static final long VALUE2 = Header.PROGRESS.byteOffset(groupElement("value2"));

  private final Progress progress;
  private final MemorySegment function;
  private Optional<Throwable> failure = Optional.empty();

  @SuppressWarnings("restricted") // the purpose of this package
  ProgressCallback(Arena arena, Progress progress) {
    this.progress = progress;
    this.function =
        progress == Progress.NONE
            ? MemorySegment.NULL
            : Linker.nativeLinker().upcallStub(UPDATE.bindTo(this), Header.PROGRESS_FN, arena);
  }

  /** The motley_progress_fn; NULL for {@link Progress#NONE}. */
  MemorySegment function() {
    return function;
  }

  /** Makes a call that was given {@link #function}, and throws what the progress threw, if any, or that it was cancelled. */
  void run(Native.Call call) {
    Optional<CancelledException> cancelled = cancelled(call);
    if (cancelled.isPresent()) {
      throw cancelled.get();
    }
  }

  /** As {@link #run}, for a call that gives results though cancelled: present if the progress said so. */
  Optional<CancelledException> cancelled(Native.Call call) {
    Optional<CancelledException> cancelled = Optional.empty();
    try {
      Native.check(call);
    } catch (CancelledException e) {
      cancelled = Optional.of(e);
    }
    failure.ifPresent(ProgressCallback::rethrow); // also where nothing was left to cancel
    return cancelled;
  }

  private int update(MemorySegment user, MemorySegment at) {
    try {
      boolean proceed =
          progress.proceed(
              at.get(ValueLayout.JAVA_LONG, DONE),
              at.get(ValueLayout.JAVA_LONG, TOTAL),
              at.get(ValueLayout.JAVA_DOUBLE, VALUE),
              at.get(ValueLayout.JAVA_DOUBLE, VALUE2));
      return proceed ? 0 : 1;
    } catch (Throwable e) {
      failure = Optional.of(e);
      return 1;
    }
  }

  private static void rethrow(Throwable failure) {
    switch (failure) {
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new AssertionError("Progress throws nothing checked", failure);
    }
  }

  private static MethodHandle findUpdate() {
    try {
      return MethodHandles.lookup()
          .findVirtual(ProgressCallback.class, "update", Header.PROGRESS_FN.toMethodType());
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }
}
