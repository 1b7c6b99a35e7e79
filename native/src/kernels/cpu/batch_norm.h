// SPDX-License-Identifier: Apache-2.0
// Batch normalisation fused with what surrounds it: y = activation(gamma * (x - mean) * invstd + beta + residual), and its
// backward; the activation is none, the ReLU or, without a residual, hard-swish. Activations are (rows, channels): the channel varies fastest, rows = images * height * width.
//
// Memory passes over activations:  forward   statistics: read x;  apply: read x (+ residual), write y
//                                  backward  sums: read dy, x;    gradient: read dy, x, write dx (+ d residual)
// What went into the activation is recomputed from x; with a residual which elements the ReLU let through is saved, one bit each.
#pragma once

#include <cstdint>

#include "kernels/cpu/activation.h"
#include "kernels/cpu/isa.h"
#include "libtorch/bf16.h"

namespace motley::kernels {

/// What backward multiplies dy with: 1, the ReLU's slope (recomputed or from bits), hard-swish's (recomputed).
enum class Gate { none, relu, relu_bits, hard_swish };

/// Bytes of the bits of `rows` rows: each row starts at a byte.
inline int64_t gate_pitch(int64_t channels) { return (channels + 7) / 8; }

/// One value per channel each, as the loops take them.
struct BatchNormSums {
  const float* mean;
  const float* scale;  // gamma * invstd
  const float* shift;  // beta - mean * scale
};

struct BatchNormGradient {
  const float* mean;
  const float* scale;
  const float* shift;
  const float* centre;  // dx = scale * dz + slope * (x - mean) + centre
  const float* slope;
};

/// Loops over `rows` rows of `channels` values that lie `pitch` apart; T is float or bf16.
template <typename T>
struct BatchNormLoops {
  /// sum += x - shift, squares += (x - shift)^2
  void (*moments)(const T* x, int64_t rows, int64_t channels, int64_t pitch, const float* shift, double* sum, double* squares);
  /// y may be x. residual and bits may be null; bits are written when given.
  void (*apply)(const T* x, int64_t rows, int64_t channels, const float* scale, const float* shift, const T* residual,
                Activation activation, T* y, uint8_t* bits);
  /// dz = gate(dy): sum += dz, products += dz * (x - mean). bits_pitch in bytes.
  void (*sums)(const T* dy, const T* x, int64_t rows, int64_t channels, int64_t pitch, Gate gate, const uint8_t* bits, int64_t bits_pitch,
               const BatchNormSums& how, double* sum, double* products);
  /// dx = ..., dresidual = dz if given (dx may be x, dresidual dy).
  void (*gradient)(const T* dy, const T* x, int64_t rows, int64_t channels, Gate gate, const uint8_t* bits, const BatchNormGradient& how,
                   T* dx, T* dresidual);
};

struct BatchNormKernels {
  BatchNormLoops<float> f32;
  BatchNormLoops<bf16> b16;
};
const BatchNormKernels& batch_norm_kernels();

/// mean and biased variance per channel, to float32 accuracy; the same bits for any number of threads.
template <typename T>
void batch_moments(const T* x, int64_t rows, int64_t channels, double* mean, double* variance);

/// scale = gamma * invstd, shift = beta - mean * scale: the same roundings in forward and backward.
void batch_norm_fold(int64_t channels, const float* gamma, const float* beta, const float* mean, const float* invstd, float* scale,
                     float* shift);

/// y = activation(x * scale + shift + residual?); bits (rows * gate_pitch) may be null.
template <typename T>
void batch_norm_apply(const T* x, int64_t rows, int64_t channels, const float* scale, const float* shift, const T* residual,
                      Activation activation, T* y, uint8_t* bits);

/// Gradient of the training-mode normalisation. gamma, beta, mean, invstd as in the forward pass; dgamma, dbeta (channels).
/// dresidual may be null, or dy itself; dx may be x.
template <typename T>
void batch_norm_backward(const T* dy, const T* x, int64_t rows, int64_t channels, const float* gamma, const float* beta, const float* mean,
                         const float* invstd, Gate gate, const uint8_t* bits, float* dgamma, float* dbeta, T* dx, T* dresidual);

namespace reference {
/// The definitions, in float64. dz is the gradient behind the activation (the residual's).
void batch_norm(const double* x, int64_t rows, int64_t channels, const double* gamma, const double* beta, double eps,
                const double* residual, Activation activation, double* y, double* mean, double* variance);
void batch_norm_backward(const double* dy, const double* x, int64_t rows, int64_t channels, const double* gamma, const double* beta,
                         double eps, const double* residual, Activation activation, double* dgamma, double* dbeta, double* dx, double* dz);
}  // namespace reference

}  // namespace motley::kernels
