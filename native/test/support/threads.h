// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "libtorch/symbols.h"

namespace motley {

/// Another number of threads, within a scope.
struct Threads {
  const int before = libtorch::threads();
  explicit Threads(int n) { libtorch::set_threads(n); }
  ~Threads() { libtorch::set_threads(before); }
};

}  // namespace motley
