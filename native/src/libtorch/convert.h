// SPDX-License-Identifier: Apache-2.0
// Conversion of arrays between element types.
#pragma once

#include "libtorch/bf16.h"
#include "libtorch/tensor.h"

namespace motley {

/// n elements from one type to another, in parallel. To f32, f16, bf16 or f64, from any.
void convert(DType from, const void* in, DType to, void* out, int64_t n);

}  // namespace motley
