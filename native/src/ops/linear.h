// SPDX-License-Identifier: Apache-2.0
// Matrix products and convolutions: the ops that carry almost all of the arithmetic.
#pragma once

#include "kernels/cpu/gemm.h"
#include "libtorch/tensor.h"
#include "ops/weight.h"

namespace motley::ops {

using kernels::Activation;

/// "gelu", as graphs and profiles call it.
const char* name_of(Activation activation);

struct Conv2d {
  int64_t stride = 1;
  int64_t top = 0, left = 0, bottom = 0, right = 0;         // zero padding
  static Conv2d same(int64_t kernel, int64_t stride = 1) {  // torch's padding = kernel / 2
    const int64_t p = kernel / 2;
    return {stride, p, p, p, p};
  }
};

/// What is added to a product and applied to it before it is stored: act(product + bias + per_image + residual).
/// Inference only, but for bias and residual.
struct Epilogue {
  Tensor bias;       // (outputs) f32, or undefined
  Tensor per_image;  // (N, outputs) f32: added to every pixel of image n
  Tensor residual;   // as the result
  Activation activation = Activation::none;
};

/// x (N, H, W, C), w (O, KH, KW, C) -> (N, OH, OW, O). x, residual and the result are of one type, f32, bf16 or f16; sums are f32.
/// Differentiable in x, w, bias and residual when the epilogue holds nothing else; w is then f32.
Tensor conv2d(const Tensor& x, const Tensor& w, const Conv2d& how, const Epilogue& epilogue = {});
Tensor conv2d(const Tensor& x, const Weight& w, const Conv2d& how, const Epilogue& epilogue = {});  // inference only

/// Nearest-neighbour doubling, then a 3x3 convolution with padding 1: (N, H, W, C) -> (N, 2H, 2W, O). Inference only.
Tensor upsample_conv2d(const Tensor& x, const Weight& w, const Epilogue& epilogue = {});

/// x (..., K), w (O, K) -> (..., O). As conv2d.
Tensor linear(const Tensor& x, const Tensor& w, const Epilogue& epilogue = {});
Tensor linear(const Tensor& x, const Weight& w, const Epilogue& epilogue = {});  // inference only

}  // namespace motley::ops
