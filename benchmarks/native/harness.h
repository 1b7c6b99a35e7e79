// SPDX-License-Identifier: Apache-2.0
// What the programs of this folder share: clocks, alternating measurement, start-up.
#pragma once

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <utility>
#include <vector>

#include "libtorch/tensor.h"
#include "motley.h"
#include "ops/profile.h"

namespace motley::bench {

using Body = std::function<void()>;

inline double seconds(clockid_t clock) {
  timespec t = {};
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

struct Moment {
  double wall, cpu;  // seconds; cpu of all threads
};
inline Moment now() { return {seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID)}; }

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Pseudo-random numbers in [least, 1).
inline Tensor filled(Shape shape, float least = -1) {
  Tensor t = Tensor::empty(std::move(shape));
  uint32_t state = 12345;
  for (int64_t i = 0; i < t.numel(); ++i) {
    state = state * 1664525u + 1013904223u;
    t.data<float>()[i] = least + static_cast<float>(state >> 8) * 0x1p-24f * (1 - least);
  }
  return t;
}

/// How kernels are measured. Of one thread the CPU time counts, so that other load on the machine disturbs little; of more the
/// wall time.
struct Measure {
  int threads = 1, repeats = 9;
  bool best = false;  // the fastest run instead of the median

  double seconds() const { return bench::seconds(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC); }

  /// Seconds of each body, run in turn, each long enough for the clock.
  std::vector<double> of(const std::vector<Body>& bodies) const {
    std::vector<int> inner;
    for (const Body& body : bodies) {
      body();
      const double start = seconds();
      body();
      inner.push_back(std::max(1, static_cast<int>(0.01 / std::max(1e-7, seconds() - start))));
    }
    std::vector<std::vector<double>> times(bodies.size());
    for (int r = 0; r < repeats; ++r) {
      for (size_t i = 0; i < bodies.size(); ++i) {
        const double start = seconds();
        for (int j = 0; j < inner[i]; ++j) bodies[i]();
        times[i].push_back((seconds() - start) / inner[i]);
      }
    }
    std::vector<double> chosen;
    for (auto& t : times) chosen.push_back(best ? *std::min_element(t.begin(), t.end()) : median(t));
    return chosen;
  }
};

/// Time per op from now on, where MOTLEY_PROFILE is set: its value `cpu` has CPU time of one thread counted, any other the wall's.
inline void start_profile() {
  const char* wish = std::getenv("MOTLEY_PROFILE");
  if (wish != nullptr) ops::start_profile(std::strcmp(wish, "cpu") == 0 ? ops::Clock::thread : ops::Clock::wall);
}

/// One line per kind of layer, the slowest first; nothing without start_profile().
inline void print_profile() {
  ops::stop_profile();
  const ops::Profile profile = ops::profile();
  double total = 0;
  for (const ops::ProfileEntry& e : profile.entries) total += e.seconds;
  for (const ops::ProfileEntry& e : profile.entries) {
    std::printf("%-22s %-26s %8lld calls %9.3f s %5.1f %% %7.1f GFLOP/s %6.1f GB/s\n", e.op.c_str(), e.shape.c_str(),
                static_cast<long long>(e.calls), e.seconds, 100 * e.seconds / total, 1e-9 * e.flops / e.seconds,
                1e-9 * e.bytes / e.seconds);
  }
}

/// main() of a program on the whole core: libtorch from MOTLEY_LIBTORCH or where the build put it, errors in one line.
template <typename Run>
int run_on_libtorch(const Run& run) {
  const char* directory = std::getenv("MOTLEY_LIBTORCH");
  const motley_runtime_params params{sizeof(motley_runtime_params), directory ? directory : MOTLEY_DEFAULT_LIBTORCH, 0, MOTLEY_ISA_AUTO};
  motley_error error;
  if (motley_runtime_initialize(&params, &error) != MOTLEY_OK) {
    std::fprintf(stderr, "%s\n", error.message);
    return 3;
  }
  try {
    run();
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}

}  // namespace motley::bench
