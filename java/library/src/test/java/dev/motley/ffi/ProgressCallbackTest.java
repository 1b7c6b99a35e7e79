// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.CancelledException;
import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The C function pointer, called as C would call it. */
class ProgressCallbackTest {

  @Test
  void hearsEveryFieldAndGoesOn() throws Throwable {
    List<String> heard = new ArrayList<>();
    try (Arena arena = Arena.ofConfined()) {
      var callback =
          new ProgressCallback(
              arena,
              (done, total, value, value2) ->
                  heard.add(done + "/" + total + " " + value + " " + value2));
      assertThat(call(arena, callback, 3, 40, 0.5, 0.25)).isZero();
    }
    assertThat(heard).containsExactly("3/40 0.5 0.25");
  }

  @Test
  void falseCancels() throws Throwable {
    try (Arena arena = Arena.ofConfined()) {
      var callback = new ProgressCallback(arena, (done, total, value, value2) -> false);
      assertThat(call(arena, callback, 1, 2, 0, 0)).isNotZero();
      assertThatThrownBy(() -> callback.run(error -> cancelled(error)))
          .isExactlyInstanceOf(CancelledException.class);
    }
  }

  @Test
  void anExceptionCancelsAndIsThrownAfterTheCall() throws Throwable {
    var thrown = new IllegalStateException("from the progress");
    try (Arena arena = Arena.ofConfined()) {
      var callback =
          new ProgressCallback(
              arena,
              (done, total, value, value2) -> {
                throw thrown;
              });
      assertThat(call(arena, callback, 1, 2, 0, 0)).isNotZero();
      assertThatThrownBy(() -> callback.run(error -> cancelled(error))).isSameAs(thrown);
    }
  }

  @Test
  void noProgressIsANullPointer() {
    try (Arena arena = Arena.ofConfined()) {
      assertThat(new ProgressCallback(arena, Progress.NONE).function())
          .isEqualTo(MemorySegment.NULL);
    }
  }

  private static int cancelled(MemorySegment error) {
    error.setString(Header.ERROR.byteOffset(PathElement.groupElement("message")), "cancelled");
    return Header.CANCELLED;
  }

  @SuppressWarnings("restricted")
  private static int call(
      Arena arena, ProgressCallback callback, long done, long total, double value, double value2)
      throws Throwable {
    MethodHandle function =
        Linker.nativeLinker().downcallHandle(callback.function(), Header.PROGRESS_FN);
    MemorySegment progress = arena.allocate(Header.PROGRESS);
    progress.setAtIndex(ValueLayout.JAVA_LONG, 0, done);
    progress.setAtIndex(ValueLayout.JAVA_LONG, 1, total);
    progress.setAtIndex(ValueLayout.JAVA_DOUBLE, 2, value);
    progress.setAtIndex(ValueLayout.JAVA_DOUBLE, 3, value2);
    return (int) function.invokeExact(MemorySegment.NULL, progress);
  }
}
