// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.InvalidInputException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TasksTest {
  private final int threadsBefore = NativeRuntime.threads();

  @AfterEach
  void restoreThreads() {
    NativeRuntime.useThreads(threadsBefore);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5})
  void asManyThreadsAsComputeRunEachTaskOnce(int threads) throws InterruptedException {
    NativeRuntime.useThreads(threads);
    assertThat(NativeRuntime.threads()).isEqualTo(threads);
    Set<Thread> seen = ConcurrentHashMap.newKeySet();
    var all = new CountDownLatch(threads);
    var runs = new AtomicIntegerArray(100);
    Tasks.run(
        runs.length(),
        i -> {
          if (seen.add(Thread.currentThread())) {
            all.countDown();
            await(all); // so that none does the work of another
          }
          runs.incrementAndGet(i);
        });
    assertThat(seen).hasSize(threads).contains(Thread.currentThread());
    for (int i = 0; i < runs.length(); i++) {
      assertThat(runs.get(i)).isEqualTo(1);
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await(10, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void whatATaskThrowsIsThrown(int threads) {
    assertThatThrownBy(
            () ->
                Tasks.run(
                    50,
                    threads,
                    i -> {
                      if (i == 7) {
                        throw new InvalidInputException("seven");
                      }
                    }))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("seven");
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void noTaskBeginsAfterOneHasThrown(int threads) throws InterruptedException {
    var thrown = new CountDownLatch(1);
    var begun = new AtomicInteger();
    Thread caller = Thread.currentThread();
    assertThatThrownBy(
            () ->
                Tasks.run(
                    1000,
                    threads,
                    i -> {
                      begun.incrementAndGet();
                      if (Thread.currentThread() == caller) {
                        thrown.countDown();
                        throw new InvalidInputException("stop");
                      }
                      await(thrown);
                      pause();
                    }))
        .hasMessage("stop");
    assertThat(begun.get()).isLessThan(1000 / 2);
  }

  private static void pause() {
    try {
      Thread.sleep(1);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void noTasksAreDoneAtOnce() {
    Tasks.run(0, i -> assertThat(i).isNegative());
  }
}
