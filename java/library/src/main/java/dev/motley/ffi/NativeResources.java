// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import java.util.ArrayDeque;
import java.util.Deque;

/** Things that are made one after the other and closed together, the last first: also when making the next one fails. */
public final class NativeResources implements AutoCloseable {
  private final Deque<AutoCloseable> resources = new ArrayDeque<>();

  /**
   * Takes one over.
   *
   * @return it
   */
  public <T extends AutoCloseable> T add(T resource) {
    resources.push(resource);
    return resource;
  }

  /** Closes all. Idempotent. */
  @Override
  public void close() {
    while (!resources.isEmpty()) {
      try {
        resources.pop().close();
      } catch (RuntimeException e) {
        throw e;
      } catch (Exception e) {
        throw new IllegalStateException("closing threw a checked exception", e);
      }
    }
  }
}
