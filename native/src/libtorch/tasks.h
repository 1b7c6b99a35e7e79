// SPDX-License-Identifier: Apache-2.0
// Loops over whole tasks, such as a batch's way through a model: each runs on one thread, its ops' loops included.
#pragma once

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "libtorch/parallel.h"

namespace motley {

/// Runs body(0) .. body(n - 1). With a task for each thread, threads take whole tasks: they meet once, not once an op, and each
/// keeps its activations in its own cache. With fewer, the threads share the ops of one task after the other.
template <typename Body>
void for_each_task(int64_t n, const Body& body) {
  parallel_for(n, n < parallel_threads() ? n : 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) body(i);
  });
}

/// Runs body(0) .. body(n - 1), begun in this order, each on the thread that is free first. The calling thread runs between()
/// after each of its own and once more at the end. The first exception of either begins nothing more, calls failed() on its
/// thread, and is rethrown.
template <typename Body, typename Between, typename Failed>
void for_each_in_turn(int64_t n, const Body& body, const Between& between, const Failed& failed) {
  std::atomic<int64_t> next = 0;
  std::atomic<bool> stop = false;
  const std::thread::id caller = std::this_thread::get_id();
  parallel_for(parallel_threads(), 1, [&](int64_t, int64_t) {
    try {
      for (int64_t at = next++; at < n && !stop; at = next++) {
        body(at);
        if (std::this_thread::get_id() == caller) between();
      }
    } catch (...) {
      stop = true;
      failed();
      throw;
    }
  });
  between();
}

/// Runs body(step, task) for all steps of all tasks, each task's in order, and report(step) in order, on the calling thread,
/// after all tasks have done the step. Threads do not wait for each other at the end of a step, only a task for its own
/// previous step; report may come late by a task.
template <typename Body, typename Report>
void for_each_step(int64_t steps, int64_t tasks, const Body& body, const Report& report) {
  if (tasks < parallel_threads() || parallel_threads() == 1) {
    for (int64_t s = 0; s < steps; ++s) {
      for (int64_t i = 0; i < tasks; ++i) body(s, i);
      report(s);
    }
    return;
  }
  std::vector<std::atomic<int64_t>> done(static_cast<size_t>(tasks));  // steps of each task
  std::atomic<bool> stop = false;
  int64_t reported = 0;
  const auto run = [&](int64_t at) {
    const int64_t step = at / tasks, task = at % tasks;
    std::atomic<int64_t>& own = done[static_cast<size_t>(task)];
    for (int64_t seen = own; seen < step && !stop; seen = own) own.wait(seen);
    if (stop) return;
    body(step, task);
    own = step + 1;  // after a failure this may take the count back: waiters look at `stop`, too
    own.notify_all();
  };
  const auto report_finished = [&] {
    int64_t finished = steps;  // each count read once: none goes back
    for (const auto& own : done) finished = std::min(finished, own.load());
    while (reported < finished && !stop) report(reported++);
  };
  for_each_in_turn(steps * tasks, run, report_finished, [&] {
    stop = true;
    for (auto& own : done) {  // whoever waits for a step that will not come
      own = steps;
      own.notify_all();
    }
  });
}

}  // namespace motley
