// SPDX-License-Identifier: Apache-2.0
#include "libtorch/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "libtorch/error.h"

namespace motley::memory {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kSlab = 4 * kHugePage;  // small blocks are cut from it

// Fresh memory, in huge pages where the system has them to give: rows of a matrix lie in as many pages of 4 KiB, more than the
// processor can remember the places of. Null if there is none.
char* map(size_t bytes) {
  void* mapped = mmap(nullptr, bytes + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  char* const first = static_cast<char*>(mapped);
  const size_t before = (kHugePage - reinterpret_cast<uintptr_t>(first) % kHugePage) % kHugePage;
  if (before > 0) munmap(first, before);
  munmap(first + before + bytes, kHugePage - before);
  madvise(first + before, bytes, MADV_HUGEPAGE);
  return first + before;
}

// Four classes to each power of two: at most a quarter is wasted, and nearby shapes share blocks.
size_t size_class(size_t bytes) {
  constexpr size_t kSmallest = 256;
  if (bytes <= kSmallest) return kSmallest;
  const size_t step = std::bit_floor(bytes - 1) / 4;
  return (bytes + step - 1) / step * step;
}

struct Slab {
  size_t used = 0;     // bytes cut off so far
  int64_t blocks = 0;  // of them handed out
};

class Pool {
 public:
  std::mutex mutex;
  int64_t live = 0, pooled = 0;

  // a block of a size class, or null
  void* take(size_t size) {
    std::vector<char*>& blocks = idle_[size];
    char* block = nullptr;
    if (!blocks.empty()) {
      block = blocks.back();
      blocks.pop_back();
      pooled -= static_cast<int64_t>(size);
    } else {
      block = is_small(size) ? cut(size) : map(size);
    }
    if (block != nullptr && is_small(size)) ++slab_of(block).blocks;
    if (block != nullptr) live += static_cast<int64_t>(size);
    return block;
  }

  void give_back(char* block, size_t size) noexcept {
    live -= static_cast<int64_t>(size);
    if (is_small(size)) --slab_of(block).blocks;
    try {
      idle_[size].push_back(block);
      pooled += static_cast<int64_t>(size);
    } catch (...) {
      if (!is_small(size)) munmap(block, size);  // a small one stays unused until its slab goes
    }
  }

  // Gives idle blocks back to the system; small ones where their whole slab is idle.
  void trim() noexcept {
    for (auto& [size, blocks] : idle_) {
      const auto goes = [&, bytes = size](char* block) {
        if (is_small(bytes) && slab_of(block).blocks > 0) return false;
        pooled -= static_cast<int64_t>(bytes);
        if (!is_small(bytes)) munmap(block, bytes);
        return true;
      };
      blocks.erase(std::remove_if(blocks.begin(), blocks.end(), goes), blocks.end());
    }
    for (auto slab = slabs_.begin(); slab != slabs_.end();) {
      if (slab->second.blocks > 0) {
        ++slab;
        continue;
      }
      if (newest_ == slab->first) newest_ = nullptr;
      munmap(slab->first, kSlab);
      slab = slabs_.erase(slab);
    }
  }

 private:
  static bool is_small(size_t size) { return size < kHugePage; }

  Slab& slab_of(char* block) { return std::prev(slabs_.upper_bound(block))->second; }

  char* cut(size_t size) {
    if (newest_ == nullptr || slabs_[newest_].used + size > kSlab) {
      char* const slab = map(kSlab);
      if (slab == nullptr) return nullptr;
      slabs_[slab] = {};
      newest_ = slab;
    }
    Slab& slab = slabs_[newest_];
    return newest_ + std::exchange(slab.used, slab.used + size);
  }

  std::map<size_t, std::vector<char*>> idle_;  // by size class
  std::map<char*, Slab> slabs_;                // by address
  char* newest_ = nullptr;
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
  void* block = p.take(size);
  if (block == nullptr) {
    p.trim();
    block = p.take(size);
  }
  if (block == nullptr) {
    throw Error(MOTLEY_OUT_OF_MEMORY, concat("cannot allocate ", size, " bytes beside ", p.live, " live ones"));
  }
  return block;
}

void release(void* block, size_t bytes) noexcept {
  if (block == nullptr) return;
  Pool& p = pool();
  std::lock_guard lock(p.mutex);
  p.give_back(static_cast<char*>(block), size_class(bytes));
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
