// SPDX-License-Identifier: Apache-2.0
#include "libtorch/memory.h"

#include <bit>
#include <cstdlib>
#include <map>
#include <mutex>
#include <vector>

#include "libtorch/error.h"

namespace motley::memory {
namespace {

struct Pool {
  std::mutex mutex;
  std::map<size_t, std::vector<void*>> idle;  // by size class
  int64_t live = 0;
  int64_t pooled = 0;
};

Pool& pool() {
  static Pool* instance = new Pool;  // never destroyed: handles may outlive static destruction
  return *instance;
}

// Four classes to each power of two: at most a quarter is wasted, and nearby shapes share blocks.
size_t size_class(size_t bytes) {
  constexpr size_t kSmallest = 256;
  if (bytes <= kSmallest) return kSmallest;
  const size_t step = std::bit_floor(bytes - 1) / 4;
  return (bytes + step - 1) / step * step;
}

void free_idle(Pool& p) {
  for (auto& [size, blocks] : p.idle) {
    for (void* block : blocks) std::free(block);
  }
  p.idle.clear();
  p.pooled = 0;
}

}  // namespace

void* allocate(size_t bytes) {
  const size_t size = size_class(bytes);
  Pool& p = pool();
  std::lock_guard lock(p.mutex);
  auto found = p.idle.find(size);
  void* block = nullptr;
  if (found != p.idle.end() && !found->second.empty()) {
    block = found->second.back();
    found->second.pop_back();
    p.pooled -= static_cast<int64_t>(size);
  } else {
    block = std::aligned_alloc(kAlignment, size);
    if (block == nullptr) {
      free_idle(p);
      block = std::aligned_alloc(kAlignment, size);
    }
    if (block == nullptr) {
      throw Error(MOTLEY_OUT_OF_MEMORY, concat("cannot allocate ", size, " bytes beside ", p.live, " live ones"));
    }
  }
  p.live += static_cast<int64_t>(size);
  return block;
}

void release(void* block, size_t bytes) noexcept {
  if (block == nullptr) return;
  const size_t size = size_class(bytes);
  Pool& p = pool();
  std::lock_guard lock(p.mutex);
  p.live -= static_cast<int64_t>(size);
  try {
    p.idle[size].push_back(block);
    p.pooled += static_cast<int64_t>(size);
  } catch (...) {
    std::free(block);
  }
}

void trim() noexcept {
  Pool& p = pool();
  std::lock_guard lock(p.mutex);
  free_idle(p);
}

int64_t live_bytes() {
  Pool& p = pool();
  std::lock_guard lock(p.mutex);
  return p.live;
}

int64_t pooled_bytes() {
  Pool& p = pool();
  std::lock_guard lock(p.mutex);
  return p.pooled;
}

}  // namespace motley::memory
