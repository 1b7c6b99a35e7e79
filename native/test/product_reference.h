// SPDX-License-Identifier: Apache-2.0
// What the tests of products and convolutions share.
#pragma once

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/cpu/isa.h"
#include "libtorch/tensor.h"

namespace motley::test {

inline Tensor random_tensor(Shape shape, unsigned seed) {
  Tensor t = Tensor::empty(std::move(shape));
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (int64_t i = 0; i < t.numel(); ++i) t.data<float>()[i] = uniform(engine);
  return t;
}

inline double worst_error(const Tensor& got, const std::vector<double>& expected) {
  if (got.numel() != static_cast<int64_t>(expected.size())) return INFINITY;
  double worst = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double error = std::abs(got.data<float>()[i] - expected[i]);
    worst = error <= worst ? worst : error;  // a NaN is kept
  }
  return worst;
}

inline bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() && std::memcmp(a.raw(), b.raw(), static_cast<size_t>(a.bytes())) == 0;
}

template <typename Body>
void for_each_isa(const Body& body) {
  for (kernels::Isa isa : {kernels::Isa::scalar, kernels::Isa::avx2, kernels::Isa::avx512, kernels::Isa::avx512_bf16, kernels::Isa::amx}) {
    if (isa > kernels::best_isa()) continue;
    kernels::limit_isa(isa);
    body();
  }
  kernels::limit_isa(kernels::kAnyIsa);
}

}  // namespace motley::test
