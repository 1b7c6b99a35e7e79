// SPDX-License-Identifier: Apache-2.0
#include "ops/profile.h"

#include <time.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "libtorch/parallel.h"
#include "libtorch/symbols.h"

namespace motley::ops {
namespace detail {
std::atomic<bool> profiling{false};
}
namespace {

struct Sums {
  int64_t calls = 0;
  double seconds = 0, flops = 0, bytes = 0;
};

struct Recorder {
  std::mutex mutex;
  std::map<std::pair<std::string, std::string>, Sums> kinds;  // by op and shape
  std::atomic<int64_t> run{0};                                // which profile it is: ops of an earlier one are not counted
  std::atomic<Clock> clock{Clock::wall};
  int64_t started = 0, stopped = 0;
};

Recorder& recorder() {
  static Recorder instance;
  return instance;
}

constexpr double kSecond = 1e-9;  // of a nanosecond

thread_local Timed* innermost = nullptr;

int64_t now(Clock clock) {
  timespec t = {};
  clock_gettime(clock == Clock::thread ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

// that an op called here has
double share_of_threads() { return static_cast<double>(parallel_threads()) / std::max(1, libtorch::threads()); }

}  // namespace

void Timed::begin(const char* op, Work work) {
  op_ = op;
  work_ = std::move(work);
  outer_ = std::exchange(innermost, this);
  run_ = recorder().run;
  start_ = now(recorder().clock);
}

void Timed::end() {
  Recorder& r = recorder();
  const int64_t time = now(r.clock) - start_;
  innermost = outer_;
  if (outer_ != nullptr) outer_->within_ += time;
  std::lock_guard lock(r.mutex);
  if (run_ != r.run || !detail::profiling) return;
  Sums& sums = r.kinds[{op_, std::move(work_.shape)}];
  ++sums.calls;
  sums.seconds += share_of_threads() * kSecond * static_cast<double>(time - within_);
  sums.flops += static_cast<double>(work_.flops);
  sums.bytes += static_cast<double>(work_.bytes);
}

void start_profile(Clock clock) {
  Recorder& r = recorder();
  std::lock_guard lock(r.mutex);
  r.kinds.clear();
  ++r.run;
  r.clock = clock;
  r.started = now(clock);
  detail::profiling = true;
}

void stop_profile() {
  Recorder& r = recorder();
  std::lock_guard lock(r.mutex);
  if (!detail::profiling.exchange(false)) return;
  r.stopped = now(r.clock);
}

Profile profile() {
  Recorder& r = recorder();
  std::lock_guard lock(r.mutex);
  Profile result;
  result.seconds = kSecond * static_cast<double>((detail::profiling ? now(r.clock) : r.stopped) - r.started);
  for (const auto& [kind, s] : r.kinds) {
    result.entries.push_back({kind.first, kind.second, s.calls, s.seconds, s.flops, s.bytes});
  }
  std::stable_sort(result.entries.begin(), result.entries.end(),
                   [](const ProfileEntry& a, const ProfileEntry& b) { return a.seconds > b.seconds; });
  return result;
}

}  // namespace motley::ops
