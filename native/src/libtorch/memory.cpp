// SPDX-License-Identifier: Apache-2.0
#include "libtorch/memory.h"

#include <sys/mman.h>

#include <bit>
#include <cstdlib>
#include <map>
#include <mutex>
#include <vector>

#include "libtorch/error.h"

namespace motley::memory {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

// A block of a size class, or null. Those of the size of a huge page and more lie in such pages where the system has them to
// give: the rows of a matrix lie in as many pages of 4 KiB, more than the processor can remember the places of.
void* take(size_t size) {
  if (size < kHugePage) return std::aligned_alloc(kAlignment, size);
  void* mapped = mmap(nullptr, size + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  char* const first = static_cast<char*>(mapped);
  const size_t before = (kHugePage - reinterpret_cast<uintptr_t>(first) % kHugePage) % kHugePage;
  if (before > 0) munmap(first, before);
  munmap(first + before + size, kHugePage - before);
  madvise(first + before, size, MADV_HUGEPAGE);
  return first + before;
}

void give_back(void* block, size_t size) {
  if (size < kHugePage) {
    std::free(block);
  } else {
    munmap(block, size);
  }
}

// Four classes to each power of two: at most a quarter is wasted, and nearby shapes share blocks. Above 2 MiB they are eight, and whole
// pages: that is where most of the memory is.
size_t size_class(size_t bytes) {
  constexpr size_t kSmallest = 256;
  static_assert(kSmallest / 4 % kAlignment == 0 && kHugePage / 2 / 4 % 4096 == 0);
  if (bytes <= kSmallest) return kSmallest;
  const size_t step = std::bit_floor(bytes - 1) / (bytes > kHugePage ? 8 : 4);
  return (bytes + step - 1) / step * step;
}

struct Pool {
  std::mutex mutex;
  std::map<size_t, std::vector<void*>> idle;  // by size class
  int64_t live = 0;
  int64_t pooled = 0;

  void trim() noexcept {
    for (auto& [size, blocks] : idle) {
      for (void* block : blocks) give_back(block, size);
    }
    idle.clear();
    pooled = 0;
  }
};

Pool& pool() {
  static Pool* instance = new Pool;  // never destroyed: handles may outlive static destruction
  return *instance;
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
    block = take(size);
    if (block == nullptr) {
      p.trim();
      block = take(size);
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
    give_back(block, size);
  }
}

void trim() noexcept {
  Pool& p = pool();
  std::lock_guard lock(p.mutex);
  p.trim();
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
