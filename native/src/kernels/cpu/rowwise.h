// SPDX-License-Identifier: Apache-2.0
// Kernels over the rows of a matrix: layer normalisation and gated or plain activations, and the gradients of those that train.
#pragma once

#include <cstdint>

#include "kernels/cpu/element.h"

namespace motley::kernels {

template <typename T>
struct RowwiseFunctions {
  /// x (rows, width) -> y: (x - mean) / sqrt(var + eps) * weight + bias. Mean and variance of a row in two passes.
  /// moments (rows, 2): mean and 1 / sqrt(var + eps), for the backward; may be null.
  void (*layer_norm)(const T* x, T* y, int64_t rows, int64_t width, double eps, const float* weight, const float* bias, float* moments);
  /// dx = (added, unless null) + gradient; dx may be dy or added. dweight, dbias (width): the sums over these rows, in order.
  void (*layer_norm_backward)(const T* dy, const T* x, int64_t rows, int64_t width, const float* weight, const float* moments,
                              const T* added, T* dx, float* dweight, float* dbias);
  /// x (rows, 2 * width) -> y (rows, width): first half times the exact GELU of the second half.
  void (*geglu)(const T* x, T* y, int64_t rows, int64_t width);
  /// n values; y may be x.
  void (*gelu)(const T* x, T* y, int64_t n);
  void (*quick_gelu)(const T* x, T* y, int64_t n);  // x * sigmoid(1.702 x)
  void (*silu)(const T* x, T* y, int64_t n);
  void (*relu)(const T* x, T* y, int64_t n);
  void (*hard_swish)(const T* x, T* y, int64_t n);  // x * min(max(x + 3, 0), 6) / 6
  /// dx = dy * (Phi(x) + x phi(x)); dx may be dy or x.
  void (*gelu_backward)(const T* dy, const T* x, T* dx, int64_t n);
  void (*relu_backward)(const T* dy, const T* x, T* dx, int64_t n);  // dy where x > 0
  void (*hard_swish_backward)(const T* dy, const T* x, T* dx, int64_t n);
};

using RowwiseKernels = ByElement<RowwiseFunctions>;
const RowwiseKernels& rowwise_kernels();

template <typename T>
const RowwiseFunctions<T>& rowwise_functions() {
  return rowwise_kernels().of<T>();
}

/// The whole gradient of layer_norm on all threads: x (rows, width); the parameters' sums are cut by the shape alone.
template <typename T>
void layer_norm_backward(const T* dy, const T* x, int64_t rows, int64_t width, const float* weight, const float* moments, const T* added,
                         T* dx, float* dweight, float* dbias);

namespace reference {
void layer_norm(const float* x, double* y, int64_t rows, int64_t width, double eps, const float* weight, const float* bias);
/// dx without what was there before.
void layer_norm_backward(const double* dy, const double* x, int64_t rows, int64_t width, double eps, const double* weight, double* dx,
                         double* dweight, double* dbias);
double gelu(double x);
double gelu_slope(double x);
double quick_gelu(double x);
double silu(double x);
double hard_swish(double x);
double hard_swish_slope(double x);
}  // namespace reference

}  // namespace motley::kernels
