// SPDX-License-Identifier: Apache-2.0
// A residual branch with layer scale and stochastic depth: y = x + branch * scale * factor, scale (channels) and a factor of the
// image, over the rows (pixels) of one image.
//   forward  reads x and branch, writes y;  backward  reads dy and branch, writes dbranch
#pragma once

#include <cstdint>

#include "kernels/cpu/element.h"

namespace motley::kernels {

template <typename T>
struct BranchFunctions {
  /// y may be x or branch.
  void (*add)(const T* x, const T* branch, int64_t rows, int64_t channels, const float* scale, float factor, T* y);
  /// dbranch = dy * scale * factor (may be branch); sums (channels) = those over the rows of dy * branch * factor.
  void (*backward)(const T* dy, const T* branch, int64_t rows, int64_t channels, const float* scale, float factor, T* dbranch,
                   double* sums);
};

using BranchKernels = ByElement<BranchFunctions>;
const BranchKernels& branch_kernels();

template <typename T>
const BranchFunctions<T>& branch_functions() {
  return branch_kernels().of<T>();
}

namespace reference {
void branch_add(const double* x, const double* branch, int64_t rows, int64_t channels, const double* scale, double factor, double* y);
void branch_backward(const double* dy, const double* branch, int64_t rows, int64_t channels, const double* scale, double factor,
                     double* dbranch, double* sums);
}  // namespace reference

}  // namespace motley::kernels
