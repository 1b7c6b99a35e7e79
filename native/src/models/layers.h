// SPDX-License-Identifier: Apache-2.0
// The small pieces that models are made of: weights with their bias, packed for inference when taken.
#pragma once

#include <string>

#include "models/parameters.h"
#include "ops/linear.h"

namespace motley {

/// Above these a configuration is not taken for a model's: nothing is multiplied or allocated by it.
constexpr int kMostLayers = 256, kWidest = 1 << 16, kMostEntries = 1 << 24;

/// What activations are stored as in a precision (MOTLEY_PRECISION_*). Throws INVALID_ARGUMENT, naming `what`, for an unknown one.
DType activations_in(const char* what, int32_t precision);

/// A dense layer (O, I) or a convolution (O, KH, KW, I); bias float32 or undefined.
struct Layer {
  ops::Weight weight;
  Tensor bias;
};

/// Scale and offset of a normalisation, float32.
struct Norm {
  Tensor weight, bias;
};

/// Takes weights under a prefix such as "mid_block.resnets.0.".
class Taker {
 public:
  Taker(Parameters& parameters, DType dtype, std::string prefix = "")
      : parameters_(parameters), dtype_(dtype), prefix_(std::move(prefix)) {}

  Taker at(const std::string& name) const { return {parameters_, dtype_, prefix_ + name + "."}; }
  bool has(const std::string& name) const { return parameters_.has(prefix_ + name); }
  DType dtype() const { return dtype_; }

  Norm norm(const std::string& name, int64_t width) const;
  Layer dense(const std::string& name, int64_t out, int64_t in, bool bias = true) const;
  Layer conv(const std::string& name, int64_t out, int64_t in, int64_t kernel, bool bias = true) const;
  /// Several dense layers of one input as one matrix, outputs in the order of the names.
  Layer dense_joined(std::initializer_list<const char*> names, int64_t out_each, int64_t in, bool bias) const;
  Tensor table(const std::string& name, int64_t rows, int64_t width) const;  // float32
  Tensor vector(const std::string& name, int64_t size) const;                // float32

 private:
  Parameters& parameters_;
  DType dtype_;
  std::string prefix_;
};

/// Nearest-neighbour doubling to height x width (an odd one leaves out the last), then the layer's 3x3 convolution. as_published:
/// one after the other instead of by sub-pixel phases, bits of MOTLEY_PUBLISHED_*.
Tensor upsample(const Layer& layer, const Tensor& x, int64_t height, int64_t width, int32_t as_published);

/// linear with the layer's bias, an optional residual and activation.
Tensor apply(const Layer& layer, const Tensor& x, const Tensor& residual = {}, ops::Activation activation = ops::Activation::none);

}  // namespace motley
