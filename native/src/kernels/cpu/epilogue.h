// SPDX-License-Identifier: Apache-2.0
// What a product does with its sums before they are stored: the terms of Output, then the activation. Only included by
// *.simd.cpp files.
#pragma once

#include "kernels/cpu/gemm.h"
#include "kernels/cpu/vec.h"

namespace motley::kernels::MOTLEY_ISA {

template <Activation activation>
inline Vec activate(Vec x) {
  switch (activation) {
    case Activation::none: break;
    case Activation::silu: return silu(x);
    case Activation::relu: return max(Vec{}, x);  // in this order a NaN stays one
    case Activation::gelu: return gelu(x);
    case Activation::quick_gelu: return quick_gelu(x);
    case Activation::hard_swish: return hard_swish(x);
  }
  return x;
}

/// Stores the sums y of the first `left` columns from `column` on of the row of the result that begins `begin` floats in.
template <Activation activation>
inline void finish_vector(const Output& out, int64_t begin, int64_t image, int64_t column, int64_t columns, Vec y, int left) {
  const int64_t place = begin + column;
  if (left >= kLanes) {
    if (out.bias) y += load(out.bias + column);
    if (out.per_image) y += load(out.per_image + image * columns + column);
    if (out.residual) y += load(out.residual + place);
    store(out.data + place, activate<activation>(y));
  } else {
    if (out.bias) y += load_part(out.bias + column, left);
    if (out.per_image) y += load_part(out.per_image + image * columns + column, left);
    if (out.residual) y += load_part(out.residual + place, left);
    store_part(out.data + place, activate<activation>(y), left);
  }
}

/// Calls run.template operator()<activation>() for a value known at run time.
template <typename Run>
inline void with_activation(Activation activation, const Run& run) {
  switch (activation) {
    case Activation::none: return run.template operator()<Activation::none>();
    case Activation::silu: return run.template operator()<Activation::silu>();
    case Activation::relu: return run.template operator()<Activation::relu>();
    case Activation::gelu: return run.template operator()<Activation::gelu>();
    case Activation::quick_gelu: return run.template operator()<Activation::quick_gelu>();
    case Activation::hard_swish: return run.template operator()<Activation::hard_swish>();
  }
}

}  // namespace motley::kernels::MOTLEY_ISA
