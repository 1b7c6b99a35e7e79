// SPDX-License-Identifier: Apache-2.0
#include "models/layers.h"

#include <cstring>
#include <vector>

namespace motley {
namespace {

// Stacks tensors along the slowest dimension.
Tensor stacked(const std::vector<Tensor>& parts) {
  Shape shape = parts[0].shape();
  shape[0] *= static_cast<int64_t>(parts.size());
  Tensor out = Tensor::empty(shape, parts[0].dtype());
  char* to = static_cast<char*>(out.raw());
  for (const Tensor& part : parts) {
    std::memcpy(to, part.raw(), static_cast<size_t>(part.bytes()));
    to += part.bytes();
  }
  return out;
}

Layer packed(Layer layer) {
  ops::pack_frozen(layer.weight);
  return layer;
}

}  // namespace

Norm Taker::norm(const std::string& name, int64_t width) const {
  return {vector(name + ".weight", width), vector(name + ".bias", width)};
}

Layer Taker::dense(const std::string& name, int64_t out, int64_t in, bool bias) const {
  const Tensor weight = parameters_.take_matrix(prefix_ + name + ".weight", out, in, dtype_);
  return packed({weight, bias ? vector(name + ".bias", out) : Tensor()});
}

Layer Taker::conv(const std::string& name, int64_t out, int64_t in, int64_t kernel, bool bias) const {
  const Tensor weight = parameters_.take_conv(prefix_ + name + ".weight", out, in, kernel, dtype_);
  return packed({weight, bias ? vector(name + ".bias", out) : Tensor()});
}

Layer Taker::dense_joined(std::initializer_list<const char*> names, int64_t out_each, int64_t in, bool bias) const {
  std::vector<Tensor> weights, biases;
  for (const char* name : names) {
    weights.push_back(parameters_.take_matrix(prefix_ + name + ".weight", out_each, in, dtype_));
    if (bias) biases.push_back(vector(concat(name, ".bias"), out_each));
  }
  return packed({stacked(weights), bias ? stacked(biases) : Tensor()});
}

Tensor Taker::table(const std::string& name, int64_t rows, int64_t width) const {
  return parameters_.take(prefix_ + name, {rows, width});
}

Tensor Taker::vector(const std::string& name, int64_t size) const { return parameters_.take(prefix_ + name, {size}); }

Tensor apply(const Layer& layer, const Tensor& x, const Tensor& residual, ops::Activation activation) {
  ops::Epilogue epilogue;
  epilogue.bias = layer.bias;
  epilogue.residual = residual;
  epilogue.activation = activation;
  return ops::linear(x, layer.weight, epilogue);
}

}  // namespace motley
