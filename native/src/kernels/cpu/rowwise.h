// SPDX-License-Identifier: Apache-2.0
// Kernels over the rows of a matrix: layer normalisation and gated or plain activations.
#pragma once

#include <cstdint>

#include "kernels/cpu/element.h"

namespace motley::kernels {

template <typename T>
struct RowwiseFunctions {
  /// x (rows, width) -> y: (x - mean) / sqrt(var + eps) * weight + bias. Mean and variance of a row in two passes.
  void (*layer_norm)(const T* x, T* y, int64_t rows, int64_t width, double eps, const float* weight, const float* bias);
  /// x (rows, 2 * width) -> y (rows, width): first half times the exact GELU of the second half.
  void (*geglu)(const T* x, T* y, int64_t rows, int64_t width);
  /// n values; y may be x.
  void (*gelu)(const T* x, T* y, int64_t n);
  void (*quick_gelu)(const T* x, T* y, int64_t n);  // x * sigmoid(1.702 x)
  void (*silu)(const T* x, T* y, int64_t n);
};

using RowwiseKernels = ByElement<RowwiseFunctions>;
const RowwiseKernels& rowwise_kernels();

template <typename T>
const RowwiseFunctions<T>& rowwise_functions() { return rowwise_kernels().of<T>(); }

namespace reference {
void layer_norm(const float* x, double* y, int64_t rows, int64_t width, double eps, const float* weight,
                const float* bias);
double gelu(double x);
double quick_gelu(double x);
double silu(double x);
}  // namespace reference

}  // namespace motley::kernels
