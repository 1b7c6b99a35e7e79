// SPDX-License-Identifier: Apache-2.0
// How a model takes its tensors from a named set: every request states the expected shape, all faults (missing, extra,
// mis-shaped) are collected and reported together, each with its key and both shapes.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "libtorch/tensor.h"
#include "ops/weight.h"

namespace motley {

/// One tensor of a checkpoint, by reference.
struct NamedTensor {
  DType dtype;
  Shape shape;
  const void* data;
  bool mapped = false;  // data lies in a read-only mapping of a file: its pages are let go of once they were read
};

using NamedTensors = std::map<std::string, NamedTensor>;

class Parameters {
 public:
  /// part: what messages call it, e.g. "unet".
  Parameters(std::string part, const NamedTensors& tensors) : part_(std::move(part)), tensors_(tensors) {}

  /// The tensor in the checkpoint's own shape and order, as `dtype`. On a fault: zeros, and the fault is noted.
  Tensor take(const std::string& name, const Shape& shape, DType dtype = DType::f32);
  /// Convolution kernels (out, in, kernel, kernel). Undefined on a fault.
  ops::Weight take_conv(const std::string& name, int64_t out, int64_t in, int64_t kernel, DType dtype);
  /// Matrices (out, in) of one input as one, outputs in the order of the names. Each may also be stored as a 1x1 convolution
  /// (out, in, 1, 1). Undefined on a fault.
  ops::Weight take_matrices(const std::vector<std::string>& names, int64_t out, int64_t in, DType dtype);
  bool has(const std::string& name) const { return tensors_.count(name) != 0; }
  /// A tensor that may be present and is not used (position_ids).
  void ignore(const std::string& name) { used_.insert(name); }

  /// Throws one INVALID_ARGUMENT listing every fault, extra tensors included; does nothing if there is none.
  void finish() const;

 private:
  const NamedTensor* find(const std::string& name, const Shape& shape);
  [[noreturn]] void report(const std::vector<std::string>& faults) const;

  std::string part_;
  const NamedTensors& tensors_;
  std::set<std::string> used_;
  std::vector<std::string> faults_;
};

}  // namespace motley
