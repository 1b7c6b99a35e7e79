// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import dev.motley.CancelledException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;

/** Loops of Java's own on as many threads as the native core computes on. */
public final class Tasks {
  private Tasks() {}

  /**
   * Runs tasks, in any order, several at a time, and waits for all.
   *
   * @param count tasks 0 to count - 1
   * @param task must bear to be called by several threads at a time; what it throws, this throws, and begins no others
   */
  public static void run(int count, IntConsumer task) {
    run(count, Math.min(count, NativeRuntime.threads()), task);
  }

  /** The calling thread is one of them. */
  static void run(int count, int threads, IntConsumer task) {
    var next = new AtomicInteger();
    Runnable work =
        () -> {
          try {
            for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
              task.accept(i);
            }
          } catch (RuntimeException | Error e) {
            next.set(count); // nobody begins another
            throw e;
          }
        };
    if (threads <= 1) {
      work.run();
      return;
    }
    try (ExecutorService helpers = Executors.newFixedThreadPool(threads - 1, Thread.ofPlatform().daemon().factory())) {
      List<Future<?>> running = new ArrayList<>();
      for (int i = 1; i < threads; i++) {
        running.add(helpers.submit(work));
      }
      work.run();
      running.forEach(Tasks::join);
    }
  }

  private static void join(Future<?> helper) {
    try {
      helper.get();
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case RuntimeException failure -> throw failure;
        case Error failure -> throw failure;
        default -> throw new IllegalStateException(e.getCause()); // a Runnable throws nothing else
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException("interrupted", e);
    }
  }
}
