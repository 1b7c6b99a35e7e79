// SPDX-License-Identifier: Apache-2.0
// Convolutions on the matrix-product engine: images NHWC, weights OHWI, float32. Rows are output pixels, taken in an order
// that puts pixels with the same taps in the padding side by side (for small maps: the same pixel of several images), so that
// those taps are skipped: at 2x2 pixels a 3x3 kernel does 4/9 of the work, at 1x1 1/9, exactly. Larger maps under a 3x3
// kernel go another way: winograd.h.
#pragma once

#include <cstdint>

#include "kernels/cpu/product.h"

namespace motley::kernels {

struct ConvShape {
  int64_t images, height, width, channels;  // of x
  int64_t outputs, kernel_h, kernel_w;
  int64_t stride, top, left;  // zero padding before; what comes after follows from the output's size
  int64_t out_height, out_width;
};

/// Where the result's pixel (y, x) of image n lies among its rows: at n * pixels + y * row + x * column + offset.
struct Placement {
  int64_t pixels, row, column, offset;
};

/// w as a right matrix for conv_forward.
Right conv_right(const ConvShape& shape, const float* w);
Right conv_right(const ConvShape& shape, const Panels& w);

/// out (images, out_height, out_width, outputs) = conv(x, w) and what Output adds; right from conv_right.
void conv_forward(const ConvShape& shape, const float* x, const Right& right, const Output& out);
/// dx (as x) from dy (as out); add: to what is there.
void conv_input_gradient(const ConvShape& shape, const float* dy, const float* w, float* dx, bool add = false);
/// dw (as w) from dy and x; the order of summation depends on the shape only.
void conv_weight_gradient(const ConvShape& shape, const float* dy, const float* x, float* dw);

/// Nearest-neighbour doubling and a 3x3 convolution with padding 1 in one: each of the four sub-pixel phases of the result
/// is a 2x2 convolution of x whose weights are sums of the 3x3's: 4/9 of the work.
/// Floats of the phases' weights in panels, (4, panels, 2, 2, channels, gemm_kernels().panel), and they themselves from the 3x3
/// kernels as panels.
int64_t upsample_size(int64_t outputs, int64_t channels);
void upsample_weights(const Panels& w, float* phases);
/// x (images, height, width, channels) -> out (images, 2 height, 2 width, outputs)
void upsample_conv_forward(int64_t images, int64_t height, int64_t width, int64_t channels, int64_t outputs, const float* x,
                           const float* phases, const Output& out);

}  // namespace motley::kernels
