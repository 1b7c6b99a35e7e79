// SPDX-License-Identifier: Apache-2.0
// A weight that does not change any more, held once, as the products read it. Copies share it.
#pragma once

#include <memory>

#include "kernels/cpu/panels.h"
#include "libtorch/tensor.h"

namespace motley::ops {

class Weight {
 public:
  Weight() = default;  // undefined
  /// Of a matrix (O, K) or kernels (O, KH, KW, C), f32, bf16 or f16, and held in that type.
  explicit Weight(const Tensor& w);
  /// To be filled: shape as above.
  Weight(Shape shape, DType dtype);
  /// Outputs [first, first + count) of torch's layout (O, K) or (O, C, KH, KW); count from the size of what is given.
  void fill(int64_t first, int64_t count, DType dtype, const void* data);

  bool defined() const { return impl_ != nullptr; }
  explicit operator bool() const { return defined(); }
  const Shape& shape() const;
  int64_t size(int64_t i) const { return shape()[static_cast<size_t>(i)]; }
  int64_t dims() const { return static_cast<int64_t>(shape().size()); }
  DType dtype() const;
  const kernels::Panels& panels() const;

  /// What is derived from 3x3 kernels, for the instruction set in use: kept where it is small, else null and to be made on the way.
  const float* winograd() const;
  bool keeps_winograd() const;  // by the weight's size alone
  const float* upsample() const;
  /// Its four phases in pairs, kept: where a pair_unit() computes.
  const kernels::Panels* upsample_pairs() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace motley::ops
