// SPDX-License-Identifier: Apache-2.0
#include "models/layers.h"

#include <algorithm>
#include <vector>

#include "motley.h"
#include "ops/layout.h"

namespace motley {

DType activations_in(const char* what, int32_t precision) {
  switch (precision) {
    case MOTLEY_PRECISION_FP32: return DType::f32;
    case MOTLEY_PRECISION_BF16: return DType::bf16;
    case MOTLEY_PRECISION_FP16: return DType::f16;
    default:
      throw Error(MOTLEY_INVALID_ARGUMENT, concat(what, ": unknown precision ", precision, ": expected 0 (fp32), 1 (bf16) or 2 (fp16)"));
  }
}

Norm Taker::norm(const std::string& name, int64_t width) const { return {vector(name + ".weight", width), vector(name + ".bias", width)}; }

Layer Taker::dense(const std::string& name, int64_t out, int64_t in, bool bias) const {
  return dense_joined({name.c_str()}, out, in, bias);
}

Layer Taker::conv(const std::string& name, int64_t out, int64_t in, int64_t kernel, bool bias) const {
  return {parameters_.take_conv(prefix_ + name + ".weight", out, in, kernel, dtype_), bias ? vector(name + ".bias", out) : Tensor()};
}

Layer Taker::dense_joined(std::initializer_list<const char*> names, int64_t out_each, int64_t in, bool bias) const {
  std::vector<std::string> weights;
  Tensor joined = bias ? Tensor::empty({out_each * static_cast<int64_t>(names.size())}) : Tensor();
  for (const char* name : names) {
    weights.push_back(concat(prefix_, name, ".weight"));
    if (!bias) continue;
    const Tensor part = vector(concat(name, ".bias"), out_each);
    std::copy_n(part.data<float>(), out_each, joined.data<float>() + static_cast<int64_t>(weights.size() - 1) * out_each);
  }
  return {parameters_.take_matrices(weights, out_each, in, dtype_), joined};
}

Tensor Taker::table(const std::string& name, int64_t rows, int64_t width) const { return parameters_.take(prefix_ + name, {rows, width}); }

Tensor Taker::vector(const std::string& name, int64_t size) const { return parameters_.take(prefix_ + name, {size}); }

Tensor upsample(const Layer& layer, const Tensor& x, int64_t height, int64_t width, int32_t as_published) {
  ops::Epilogue epilogue;
  epilogue.bias = layer.bias;
  const bool whole = height == 2 * x.size(1) && width == 2 * x.size(2);
  if (whole && !(as_published & MOTLEY_PUBLISHED_UPSAMPLE)) return ops::upsample_conv2d(x, layer.weight, epilogue);
  return ops::conv2d(ops::doubled(x, height, width), layer.weight, ops::Conv2d::same(3), epilogue);
}

Tensor apply(const Layer& layer, const Tensor& x, const Tensor& residual, ops::Activation activation) {
  ops::Epilogue epilogue;
  epilogue.bias = layer.bias;
  epilogue.residual = residual;
  epilogue.activation = activation;
  return ops::linear(x, layer.weight, epilogue);
}

}  // namespace motley
