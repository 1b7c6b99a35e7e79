// SPDX-License-Identifier: Apache-2.0
// Time per op, for the harness: counted when MOTLEY_PROFILE is set, else a test of one flag. MOTLEY_PROFILE=cpu takes the
// calling thread's CPU time (with one thread: undisturbed by other processes), anything else wall time.
#pragma once

#include <cstdint>
#include <cstdio>

namespace motley::ops {

class Timed {
 public:
  explicit Timed(const char* op, int64_t multiplications = 0);
  ~Timed();
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;

 private:
  const char* op_;
  int64_t work_, start_;
};

/// One line per op: calls, seconds, share, GFLOP/s where the op counts its multiplications. Nothing unless MOTLEY_PROFILE is set.
void print_profile(std::FILE* out);
/// Counts from zero again.
void clear_profile();

}  // namespace motley::ops
