// SPDX-License-Identifier: Apache-2.0
// Kernels over the rows of a matrix: layer normalisation and gated or plain activations.
#pragma once

#include <cstdint>

#include "libtorch/bf16.h"

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

struct RowwiseKernels {
  RowwiseFunctions<float> f32;
  RowwiseFunctions<bf16> b16;
};
const RowwiseKernels& rowwise_kernels();

template <typename T>
const RowwiseFunctions<T>& rowwise_functions();
template <>
inline const RowwiseFunctions<float>& rowwise_functions<float>() { return rowwise_kernels().f32; }
template <>
inline const RowwiseFunctions<bf16>& rowwise_functions<bf16>() { return rowwise_kernels().b16; }

namespace reference {
void layer_norm(const float* x, double* y, int64_t rows, int64_t width, double eps, const float* weight,
                const float* bias);
double gelu(double x);
double quick_gelu(double x);
double silu(double x);
}  // namespace reference

}  // namespace motley::kernels
