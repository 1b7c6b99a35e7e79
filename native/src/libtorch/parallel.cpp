// SPDX-License-Identifier: Apache-2.0
#include "libtorch/parallel.h"

#include <algorithm>
#include <vector>

#include "libtorch/error.h"
#include "libtorch/symbols.h"

namespace motley {
namespace {

thread_local bool inside = false;  // a range of a loop runs on this thread, so that loops in it are its own affair

struct Inside {
  Inside() { inside = true; }
  ~Inside() { inside = false; }
};

// The ranges of a loop, with work stealing: each thread has a contiguous share, for its caches' sake, and helps the others when
// it is done. One that is held up, by the decoder of a picture or by another program, keeps nobody waiting.
struct Ranges {
  struct alignas(64) Share {
    std::atomic<int64_t> next;
    int64_t end;
  };
  int64_t n, count;
  RangeBody body;
  void* context;
  std::vector<Share> shares;

  Ranges(int64_t size, int64_t ranges, int64_t threads, RangeBody range_body, void* opaque)
      : n(size), count(ranges), body(range_body), context(opaque), shares(static_cast<size_t>(threads)) {
    for (int64_t t = 0; t < threads; ++t) {
      shares[static_cast<size_t>(t)].next = t * ranges / threads;
      shares[static_cast<size_t>(t)].end = (t + 1) * ranges / threads;
    }
  }

  void work(size_t thread) {
    for (size_t i = 0; i < shares.size(); ++i) {
      Share& share = shares[(thread + i) % shares.size()];
      for (int64_t p = share.next++; p < share.end; p = share.next++) body(p * n / count, (p + 1) * n / count, context);
    }
  }
};

}  // namespace

void parallel_ranges(int64_t n, int64_t grain, RangeBody body, void* context) {
  if (n <= 0) return;
  const int64_t ranges = std::min(n / std::max<int64_t>(1, grain), kRangesPerThread * parallel_threads());
  const int64_t threads = std::min<int64_t>(ranges, parallel_threads());
  if (threads <= 1) return body(0, n, context);
  libtorch::apply_thread_count();
  Ranges all(n, ranges, threads, body, context);
  const libtorch::Status status = libtorch::symbols().torch_parallel_for(
      0, threads, 1,
      [](int64_t thread, int64_t, void* opaque) {
        const Inside marked;
        static_cast<Ranges*>(opaque)->work(static_cast<size_t>(thread));
      },
      &all);
  ensure(status == 0, "libtorch could not run a parallel loop; its own message is on stderr");
}

int parallel_threads() { return libtorch::loaded() && !inside ? libtorch::threads() : 1; }

}  // namespace motley
