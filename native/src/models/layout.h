// SPDX-License-Identifier: Apache-2.0
// Between the layouts of the outside (torch: NCHW, OIHW) and ours (NHWC, OHWI). Other ranks are the same in both.
#pragma once

#include "libtorch/tensor.h"

namespace motley {

/// (a, c, y, x) -> (a, y, x, c); `shape` is the source's, at rank 4. Copies at other ranks.
void to_channels_last(const Shape& shape, const float* in, float* out);
/// (a, y, x, c) -> (a, c, y, x); `shape` is the result's, at rank 4. Copies at other ranks.
void to_channels_first(const Shape& shape, const float* in, float* out);
/// The shape that a tensor of torch's `shape` has here.
Shape channels_last_shape(const Shape& shape);

}  // namespace motley
