// SPDX-License-Identifier: Apache-2.0
// Parallel loops on libtorch's own threads, so that kernels and operators never compete for cores.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>

namespace motley {

using RangeBody = void (*)(int64_t begin, int64_t end, void* context);

/// Ranges that a long loop is cut into, for each thread: a thread that is held up leaves some of its own to the others.
constexpr int64_t kRangesPerThread = 4;

/// Runs body over [0, n) in contiguous ranges of at least `grain`; in one on the calling thread when libtorch is not loaded
/// or within another such loop. body must not throw.
void parallel_ranges(int64_t n, int64_t grain, RangeBody body, void* context);

/// As parallel_ranges, for a callable (begin, end). The exception of the range that fails first is rethrown.
template <typename Body>
void parallel_for(int64_t n, int64_t grain, const Body& body) {
  struct Context {
    const Body* body;
    std::atomic_flag failed;  // several ranges may fail at once; one may write the error
    std::exception_ptr error;
  } context{&body, {}, nullptr};
  parallel_ranges(
      n, grain,
      [](int64_t begin, int64_t end, void* opaque) {
        auto* shared = static_cast<Context*>(opaque);
        if (shared->failed.test()) return;
        try {
          (*shared->body)(begin, end);
        } catch (...) {
          if (!shared->failed.test_and_set()) shared->error = std::current_exception();
        }
      },
      &context);
  if (context.error) std::rethrow_exception(context.error);
}

/// Threads that parallel_for may use: 1 within another such loop.
int parallel_threads();

}  // namespace motley
