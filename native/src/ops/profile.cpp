// SPDX-License-Identifier: Apache-2.0
#include "ops/profile.h"

#include <time.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

namespace motley::ops {
namespace {

struct Entry {
  int64_t calls = 0, nanoseconds = 0, work = 0;
};

struct Profile {
  std::mutex mutex;
  std::map<std::string, Entry> entries;
};

Profile& profile() {
  static Profile instance;
  return instance;
}

enum class Clock { none, wall, thread };

Clock clock_in_use() {
  static const char* wish = std::getenv("MOTLEY_PROFILE");
  static const Clock clock = wish == nullptr ? Clock::none : std::strcmp(wish, "cpu") == 0 ? Clock::thread : Clock::wall;
  return clock;
}

int64_t now() {
  timespec t = {};
  clock_gettime(clock_in_use() == Clock::thread ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

}  // namespace

Timed::Timed(const char* op, int64_t multiplications) : op_(op), work_(multiplications), start_(clock_in_use() == Clock::none ? 0 : now()) {}

Timed::~Timed() {
  if (start_ == 0) return;
  const int64_t time = now() - start_;
  std::lock_guard lock(profile().mutex);
  Entry& e = profile().entries[op_];
  ++e.calls;
  e.nanoseconds += time;
  e.work += work_;
}

void print_profile(std::FILE* out) {
  int64_t total = 0;
  std::lock_guard lock(profile().mutex);
  for (const auto& [op, e] : profile().entries) total += e.nanoseconds;
  for (const auto& [op, e] : profile().entries) {
    const double time = static_cast<double>(e.nanoseconds);
    std::fprintf(out, "%-24s %8lld calls %9.3f s %5.1f %%", op.c_str(), static_cast<long long>(e.calls), time * 1e-9,
                 100 * time / static_cast<double>(total));
    if (e.work > 0) std::fprintf(out, " %7.1f GFLOP/s", 2 * static_cast<double>(e.work) / time);
    std::fprintf(out, "\n");
  }
}

void clear_profile() {
  std::lock_guard lock(profile().mutex);
  profile().entries.clear();
}

}  // namespace motley::ops
