// SPDX-License-Identifier: Apache-2.0
// Pooled host memory. A step of sampling or training asks for the same sizes again and again; fresh
// pages cost more than the arithmetic on them, so freed blocks are kept and handed out again.
#pragma once

#include <cstddef>
#include <cstdint>

namespace motley::memory {

constexpr size_t kAlignment = 64;  // a cache line, and the widest vector

/// Uninitialised memory of at least `bytes` (rounded up to the pool's size class). Throws Error(OUT_OF_MEMORY).
void* allocate(size_t bytes);
/// Gives a block back to the pool; `bytes` as asked for.
void release(void* block, size_t bytes) noexcept;
/// Gives idle blocks back to the system.
void trim() noexcept;

int64_t live_bytes();    // asked for and not released
int64_t pooled_bytes();  // idle

}  // namespace motley::memory
