// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import java.io.PrintWriter;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;

/**
 * Turns Ctrl-C and SIGTERM into a request to stop at the next step, so that what was done is kept.
 * The process ends when the work has stopped, or after a grace period.
 */
final class Cancellation implements BooleanSupplier {

  /** Longer than any single step takes, a full-size denoising step on a CPU included. */
  private static final long GRACE_SECONDS = 60;

  private final AtomicBoolean requested = new AtomicBoolean();
  private final AtomicBoolean working = new AtomicBoolean();
  private final CountDownLatch ended = new CountDownLatch(1);

  /** Whether the work shall stop. */
  @Override
  public boolean getAsBoolean() {
    return requested.get();
  }

  /** Says whether work is under way that has something to keep and hears of the request. */
  void working(boolean now) {
    working.set(now);
  }

  /** Asks the work to stop. */
  void request() {
    requested.set(true);
  }

  /** Has the signals that end the JVM ask the work to stop first. */
  void install(PrintWriter err) {
    Runtime.getRuntime()
        .addShutdownHook(
            Thread.ofPlatform().name("cancellation").unstarted(() -> stopAndWait(err)));
  }

  /**
   * Ends the process, unless a signal has begun to: then the code is that of a cancellation, given
   * when this thread has said all it has to.
   */
  void exit(int code) {
    ended.countDown();
    if (!requested.get()) {
      System.exit(code);
    }
  }

  private void stopAndWait(PrintWriter err) {
    if (ended.getCount() == 0) {
      return; // an ordinary end
    }
    request();
    if (!working.get()) {
      err.println("motley: stopped; nothing was under way");
      err.flush();
      Runtime.getRuntime().halt(Exit.CANCELLED.code());
    }
    err.println();
    err.println("motley: stopping at the next step");
    err.flush();
    try {
      boolean stopped = ended.await(GRACE_SECONDS, TimeUnit.SECONDS);
      if (!stopped) {
        err.println("motley: the current step takes too long; ended without waiting for it");
        err.flush();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    Runtime.getRuntime().halt(Exit.CANCELLED.code());
  }
}
