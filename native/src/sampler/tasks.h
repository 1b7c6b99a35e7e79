// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "libtorch/parallel.h"

namespace motley {

/// Runs body(0) .. body(n - 1). With a task for each thread, threads take whole tasks: they meet once, not once an op, and each
/// keeps its activations in its own cache. With fewer, the threads share the ops of one task after the other.
template <typename Body>
void for_each_task(int64_t n, const Body& body) {
  const int64_t threads = parallel_threads();
  if (threads == 1 || n < threads) {
    for (int64_t i = 0; i < n; ++i) body(i);
    return;
  }
  std::atomic<int64_t> next = 0;
  parallel_for(threads, 1, [&](int64_t, int64_t) {
    for (int64_t i = next++; i < n; i = next++) body(i);
  });
}

}  // namespace motley
