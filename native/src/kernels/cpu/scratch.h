// SPDX-License-Identifier: Apache-2.0
// Uninitialised floats from the pool, for the length of a kernel call.
#pragma once

#include <cstdint>
#include <utility>

#include "libtorch/memory.h"

namespace motley::kernels {

class Scratch {
 public:
  Scratch() = default;
  explicit Scratch(int64_t floats)
      : bytes_(static_cast<size_t>(floats) * sizeof(float)), data_(static_cast<float*>(memory::allocate(bytes_))) {}
  Scratch(Scratch&& other) noexcept : bytes_(other.bytes_), data_(std::exchange(other.data_, nullptr)) {}
  Scratch& operator=(Scratch&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(data_, other.data_);
    return *this;
  }
  ~Scratch() {
    if (data_ != nullptr) memory::release(data_, bytes_);
  }
  float* data() const { return data_; }

 private:
  size_t bytes_ = 0;
  float* data_ = nullptr;
};

}  // namespace motley::kernels
