// SPDX-License-Identifier: Apache-2.0
// What each kind of layer takes: calls, time, arithmetic and memory traffic of every op, by its name and what matters of its
// shape. Switched on and off at run time; off, an op costs one test of a flag.
//
// An op's seconds are weighted with its share of the threads: one that all threads work on counts in full, one within a task that
// a single thread of n has taken (tasks.h) counts an nth. So they add up to the wall's time of a run but for what is outside of
// ops and for threads that wait, and flops over seconds is a rate of the whole machine. Only where a caller runs ops on several
// threads of its own do they add up to more. An op within another one counts on its own account only.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace motley::ops {

/// What an op does at least. Arithmetic is that of the layer as published: 2 for each multiply-add of its matrix products, the
/// padding's included, whichever algorithm computes it, so that Winograd's, and sub-pixel phases, may pass the peak. Memory is
/// every input, weight and result once, in the type in which it is stored.
struct Work {
  std::string shape;
  int64_t flops = 0, bytes = 0;
};

/// The sum over all calls of a kind.
struct ProfileEntry {
  std::string op, shape;
  int64_t calls = 0;
  double seconds = 0, flops = 0, bytes = 0;
};

struct Profile {
  double seconds = 0;                 // from the start to the stop, or until now
  std::vector<ProfileEntry> entries;  // the slowest first
};

enum class Clock { wall, thread };  // thread: CPU time of the calling thread, which with one thread no other process disturbs

/// Counts from zero.
void start_profile(Clock clock = Clock::wall);
/// Ops that are under way are not counted any more. Without a start nothing.
void stop_profile();
Profile profile();

namespace detail {
extern std::atomic<bool> profiling;
}

/// Measures its own life.
class Timed {
 public:
  /// describe() -> Work is called only while a profile is taken. op: of static storage.
  template <typename Describe>
  Timed(const char* op, const Describe& describe) {
    if (detail::profiling.load(std::memory_order_relaxed)) begin(op, describe());
  }
  ~Timed() {
    if (op_ != nullptr) end();
  }
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;

 private:
  void begin(const char* op, Work work);
  void end();

  const char* op_ = nullptr;
  Timed* outer_ = nullptr;  // the op within which this one runs
  int64_t start_ = 0, within_ = 0, run_ = 0;
  Work work_;
};

}  // namespace motley::ops
