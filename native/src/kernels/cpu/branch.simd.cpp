// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/branch.h"

#include "kernels/cpu/vec.h"

namespace motley::kernels::MOTLEY_ISA {
namespace {

constexpr int64_t kBlock = 16;  // rows summed in float32 before they go to float64

template <typename T>
void add(const T* x, const T* branch, int64_t rows, int64_t channels, const float* scale, float factor, T* y) {
  for (int64_t r = 0; r < rows; ++r, x += channels, branch += channels, y += channels) {
    for_each_vector(channels, [&]<bool kWhole>(int64_t c, int64_t n) {
      put<kWhole>(y + c, get<kWhole>(x + c, n) + get<kWhole>(branch + c, n) * (get<kWhole>(scale + c, n) * factor), n);
    });
  }
}

template <typename T>
void backward(const T* dy, const T* branch, int64_t rows, int64_t channels, const float* scale, float factor, T* dbranch, double* sums) {
  for (int64_t c = 0; c < channels; ++c) sums[c] = 0;
  for (int64_t first = 0; first < rows; first += kBlock) {
    const int64_t end = first + kBlock < rows ? first + kBlock : rows;
    for_each_vector(channels, [&]<bool kWhole>(int64_t c, int64_t n) {
      const Vec by = get<kWhole>(scale + c, n) * factor;
      Vec sum{};
      for (int64_t r = first; r < end; ++r) {
        const int64_t at = r * channels + c;
        const Vec d = get<kWhole>(dy + at, n);
        sum += d * get<kWhole>(branch + at, n);
        put<kWhole>(dbranch + at, d * by, n);
      }
      for (int64_t i = 0; i < n; ++i) sums[c + i] += static_cast<double>(sum[i]) * static_cast<double>(factor);
    });
  }
}

template <typename T>
constexpr BranchFunctions<T> functions() {
  return {add<T>, backward<T>};
}

}  // namespace

const BranchKernels& branch_kernels() {
  static constexpr BranchKernels kernels = {functions<float>(), functions<bf16>(), functions<half>()};
  return kernels;
}

}  // namespace motley::kernels::MOTLEY_ISA
