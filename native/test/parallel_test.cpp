// SPDX-License-Identifier: Apache-2.0
#include "libtorch/parallel.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "libtorch/error.h"
#include "libtorch/tasks.h"
#include "support/threads.h"

using namespace motley;

TEST_CASE("a parallel loop covers its range once, in ranges of at least the grain") {
  for (int threads : {1, 2, 3, 7}) {
    const Threads set(threads);
    for (int64_t n : {1, 2, 5, 16, 31, 10'007}) {
      for (int64_t grain : {1, 4, 16, 20'000}) {
        std::vector<std::atomic<int>> seen(static_cast<size_t>(n));
        std::atomic<int64_t> least = n;
        parallel_for(n, grain, [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i) ++seen[static_cast<size_t>(i)];
          for (int64_t before = least; end - begin < before && !least.compare_exchange_weak(before, end - begin);) continue;
        });
        for (const auto& times : seen) CHECK(times == 1);
        CHECK(least >= std::min(n, grain));
      }
    }
  }
}

TEST_CASE("a loop within a loop stays on its thread") {
  const Threads set(4);
  std::atomic<int> ranges = 0;
  parallel_for(4, 1, [&](int64_t, int64_t) {
    CHECK(parallel_threads() == 1);
    const auto own = std::this_thread::get_id();
    parallel_for(1'000, 1, [&](int64_t begin, int64_t end) {
      ++ranges;
      CHECK(end - begin == 1'000);
      CHECK(std::this_thread::get_id() == own);
    });
  });
  CHECK(ranges == 4);
  CHECK(parallel_threads() == 4);
}

TEST_CASE("a parallel loop rethrows, and the next one works") {
  CHECK_THROWS_AS(parallel_for(100, 1, [](int64_t, int64_t) { throw Error(MOTLEY_INTERNAL, "boom"); }), Error);
  std::atomic<int64_t> sum = 0;
  parallel_for(100, 1, [&](int64_t begin, int64_t end) { sum += end - begin; });
  CHECK(sum == 100);
}

TEST_CASE("a thread that is held up leaves ranges to the others") {
  const Threads set(2);
  std::atomic<int> finished = 0;
  std::atomic<bool> waited = false;
  parallel_for(8, 1, [&](int64_t begin, int64_t) {
    if (begin == 0) {  // of the first thread's share: waits until all others are done, whoever does them
      const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
      while (finished < 7 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
      waited = finished == 7;
    }
    ++finished;
  });
  CHECK(finished == 8);
  CHECK(waited);
}

TEST_CASE("a loop in turn runs everything once, and reports between on the caller's thread") {
  for (int threads : {1, 2, 5}) {
    const Threads set(threads);
    for (int64_t n : {0, 1, 2, 40}) {
      std::vector<std::atomic<int>> seen(static_cast<size_t>(n));
      std::atomic<int64_t> done = 0;
      int64_t reported = -1;
      const auto caller = std::this_thread::get_id();
      for_each_in_turn(
          n,
          [&](int64_t i) {
            ++seen[static_cast<size_t>(i)];
            ++done;
          },
          [&] {
            CHECK(std::this_thread::get_id() == caller);
            reported = done;
          },
          [] {});
      CHECK(reported == n);
      for (const auto& times : seen) CHECK(times == 1);
    }
  }
}

TEST_CASE("tasks take their steps in order, and steps are reported in order on the caller's thread") {
  for (int threads : {1, 2, 5}) {
    const Threads set(threads);
    for (int64_t tasks : {1, 2, 3, 8}) {
      constexpr int64_t kSteps = 40;
      std::vector<std::atomic<int64_t>> done(static_cast<size_t>(tasks));
      std::atomic<bool> in_order = true;
      int64_t reported = 0;
      const auto caller = std::this_thread::get_id();
      for_each_step(
          kSteps, tasks,
          [&](int64_t s, int64_t i) {
            if (done[static_cast<size_t>(i)]++ != s) in_order = false;
          },
          [&](int64_t s) {
            CHECK(s == reported++);
            CHECK(std::this_thread::get_id() == caller);
            for (const auto& d : done) CHECK(d > s);
          });
      CHECK(in_order);
      CHECK(reported == kSteps);
      for (const auto& d : done) CHECK(d == kSteps);
    }
  }
}

TEST_CASE("an error wakes those who wait for a task that is still at an earlier step") {
  const Threads set(4);
  for (int round = 0; round < 100; ++round) {
    // The first task's step 1 ends shortly after step 3 of the last one failed; its steps 2 and 3 are waited for by then.
    std::atomic<bool> failing = false;
    const auto body = [&](int64_t s, int64_t i) {
      if (s == 1 && i == 0) {
        while (!failing) std::this_thread::yield();
        std::this_thread::sleep_for(std::chrono::microseconds(round * 2));
      }
      if (s == 3 && i == 3) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        failing = true;
        throw Error(MOTLEY_INTERNAL, "boom");
      }
    };
    CHECK_THROWS_AS(for_each_step(8, 4, body, [](int64_t s) { CHECK(s < 3); }), Error);
  }
}

TEST_CASE("an error in a step or a report ends all tasks") {
  const Threads set(3);
  std::atomic<int64_t> ran = 0;
  const auto count = [&](int64_t, int64_t) { ++ran; };
  CHECK_THROWS_AS(for_each_step(1'000'000, 6, count,
                                [](int64_t s) {
                                  if (s == 5) throw Error(MOTLEY_CANCELLED, "enough");
                                }),
                  Error);
  CHECK(ran < 6'000'000);
  CHECK_THROWS_AS(for_each_step(
                      1'000, 6,
                      [](int64_t s, int64_t i) {
                        if (s == 7 && i == 2) throw Error(MOTLEY_INTERNAL, "boom");
                      },
                      [](int64_t s) { CHECK(s < 7); }),
                  Error);
}
