// SPDX-License-Identifier: Apache-2.0
// 3x3 convolutions of stride 1 and padding 1 by Winograd's minimal filtering, F(2x2, 3x3) (Lavin & Gray, "Fast Algorithms for
// Convolutional Neural Networks", 2015): an output tile of 2x2 pixels costs 16 multiplications instead of 36. A tile's 4x4
// source pixels d, the kernel g and the result y are related by
//
//   V = B^T d B,   U = G g G^T,   y = A^T (sum over channels of U * V) A
//
//   B^T = 1  0 -1  0    G = 1    0    0      A^T = 1  1  1  0
//         0  1  1  0        1/2  1/2  1/2          0  1 -1 -1
//         0 -1  1  0        1/2 -1/2  1/2
//         0  1  0 -1        0    0    1
//
// The sums are 16 matrix products (tiles x channels x outputs). In float32 the error is that of the direct sum (measured: 1.05
// times, 64 channels); larger tiles would lose a factor of three and more.
#pragma once

#include "kernels/cpu/conv.h"

namespace motley::kernels {

constexpr int kWinogradTaps = 16;

/// Where a tile's four pixels begin in the result, in floats; -1 beyond its edge.
struct WinogradTile {
  int64_t image, out[4];
};

struct WinogradKernels {
  /// U[t][c] to `to + t * stride + c` from the 9 taps of a kernel, `channels` floats each; rounded once, from float64.
  void (*weights)(const float* const* taps, int64_t channels, float* to, int64_t stride);
  /// A row of V, V[4 row + t][c] to `to + t * stride + c`, from 16 pixels of `channels` floats.
  void (*input_row)(int row, const float* const* pixels, int64_t channels, float* to, int64_t stride);
  /// y of `count` tiles for `width` columns from `column` on; sums: tap t of tile i at `sums + t * stride + i * panel`.
  void (*output)(const float* sums, int64_t stride, int64_t panel, const WinogradTile* tiles, int64_t count, int64_t column,
                 int width, int64_t columns, const Output& out);
};

/// Whether Winograd's way is the cheaper one: by the shape of an image, not by their number.
bool winograd_suits(const ConvShape& shape);

/// u (16, outputs, channels) from w (outputs, 3, 3, channels).
void winograd_weights(int64_t outputs, int64_t channels, const float* w, float* u);
/// As a right matrix, to pack() it.
Right winograd_right(const float* u, int64_t outputs, int64_t channels);

/// As conv_forward; right from winograd_right. Does not depend on the number of images or threads.
void winograd_forward(const ConvShape& shape, const float* x, const Right& right, const Output& out);
/// dx and what Output adds: the convolution of dy with the kernels turned around, channels and outputs exchanged.
void winograd_input_gradient(const ConvShape& shape, const float* dy, const float* w, const Output& out);

}  // namespace motley::kernels
