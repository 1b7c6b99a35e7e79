// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution, one k x k kernel for each channel, and its gradients. Activations are NHWC, padding is k / 2.
//
// All but the weight gradient are correlations of rows: the input gradient is one with the flipped kernel, at stride 2 one for each
// parity of row and column. Taps that lie in the padding at every place are cut off first, so that on a 2x2 image a 7x7 kernel
// costs what a 3x3 one does, on a 1x1 image one multiplication; the others are left out where they lie in the padding.
#pragma once

#include <cstdint>

#include "kernels/cpu/activation.h"
#include "kernels/cpu/isa.h"
#include "libtorch/bf16.h"

namespace motley::kernels {

struct DepthwiseShape {
  int64_t images, height, width, channels;
  int64_t kernel;  // 3, 5 or 7
  int64_t stride;  // 1, or 2 with a kernel of at most 5
  int64_t out_height, out_width;
};
DepthwiseShape depthwise_shape(int64_t images, int64_t height, int64_t width, int64_t channels, int64_t kernel, int64_t stride);

/// One row of a correlation, over all channels: out[o] = activation(sum over taps of weight * in[left + o * stride + tap] + bias).
template <typename T>
struct DepthwiseRow {
  const T* in;  // (height, width, channels)
  int64_t height, width, channels;
  const float* weights;  // (channels / lanes, rounded up; rows; columns; lanes)
  int64_t rows, columns;
  int64_t top, left;  // where in `in` the first tap of output 0 lies
  int64_t stride;     // of the columns
  T* out;
  int64_t count, step;  // outputs, and pixels from one to the next
  const float* bias;    // may be null
  Activation activation;
  bool add;  // to what `out` holds
};

/// sums += products of `images` images, all of whose shape is given; the order of the sum depends on the shape alone.
template <typename T>
struct DepthwiseProducts {
  const T *x, *dy;
  int64_t images, height, width, channels, out_height, out_width;
  int64_t rows, columns, stride;  // of the kernel
  double* sums;                   // as DepthwiseRow's weights
};

template <typename T>
struct DepthwiseLoops {
  void (*row)(const DepthwiseRow<T>& row);
  void (*products)(const DepthwiseProducts<T>& products);
};

struct DepthwiseKernels {
  int lanes;
  DepthwiseLoops<float> f32;
  DepthwiseLoops<bf16> b16;
};
const DepthwiseKernels& depthwise_kernels();

// T is float or bf16; arithmetic is f32. An image's result does not depend on the others of its batch, nor on the threads.

/// x (N, H, W, C), w (C, K, K), bias (C) or null -> y (N, OH, OW, C) = activation(conv(x) + bias)
template <typename T>
void depthwise_forward(const DepthwiseShape& s, const T* x, const float* w, const float* bias, Activation activation, T* y);
/// dx = or += the gradient of x.
template <typename T>
void depthwise_input_gradient(const DepthwiseShape& s, const T* dy, const float* w, T* dx, bool add);
/// dw (C, K, K)
template <typename T>
void depthwise_weight_gradient(const DepthwiseShape& s, const T* dy, const T* x, float* dw);

namespace reference {
/// The definitions, in float64. bias may be null.
void depthwise(const DepthwiseShape& s, const double* x, const double* w, const double* bias, double* y);
void depthwise_backward(const DepthwiseShape& s, const double* dy, const double* x, const double* w, double* dx, double* dw);
}  // namespace reference

}  // namespace motley::kernels
