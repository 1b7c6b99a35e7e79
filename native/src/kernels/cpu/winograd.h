// SPDX-License-Identifier: Apache-2.0
// 3x3 convolutions of stride 1 and padding 1 by Winograd's minimal filtering, F(2x4, 3x3) (Lavin & Gray, "Fast Algorithms for
// Convolutional Neural Networks", 2015): an output tile of 2x4 pixels costs 24 multiplications instead of 72. A tile's 4x6
// source pixels d, the kernel g and the result y are related by
//
//   V = B2^T d B4,   U = G2 g G4^T,   y = A2^T (sum over channels of U * V) A4
//
//   B2^T = 1  0 -1  0    G2 = 1    0    0      A2^T = 1  1  1  0
//          0  1  1  0         1/2  1/2  1/2           0  1 -1 -1
//          0 -1  1  0         1/2 -1/2  1/2
//          0  1  0 -1         0    0    1
//
// and along a row by the Toom-Cook construction on the points 0, a, -a, b, -b, infinity with a = 5/8 and b = 3/2:
//
//   B4^T = a2b2  0   -a2-b2  0      1  0    G4 = 1/a2b2  0     0       A4^T = 1  1   1   1   1   0
//          0    -ab2  -b2    a      1  0         1/fa    a/fa  a2/fa          0  a  -a   b  -b   0
//          0     ab2  -b2   -a      1  0         1/fa   -a/fa  a2/fa          0  a2  a2  b2  b2  0
//          0    -a2b  -a2    b      1  0         1/fb    b/fb  b2/fb          0  a3 -a3  b3 -b3  1
//          0     a2b  -a2   -b      1  0         1/fb   -b/fb  b2/fb
//          0     a2b2  0    -a2-b2  0  1         0       0     1           fa = 2 a2 (a2 - b2), fb = 2 b2 (b2 - a2)
//
// where a2 is a squared. The sums are 24 matrix products (tiles x channels x outputs). With the usual points 1 and 2 the error
// would be 1.5 times as large, with tiles of 4x4 pixels 1.7 times.
#pragma once

#include "kernels/cpu/conv.h"

namespace motley::kernels {

constexpr int kWinogradRows = 4, kWinogradColumns = 6, kWinogradTaps = kWinogradRows * kWinogradColumns;  // of V and U
constexpr int kWinogradDown = 2, kWinogradAcross = 4, kWinogradPixels = kWinogradDown * kWinogradAcross;  // of the result

/// Where a tile's pixels begin in the result, row-major, in floats; -1 beyond its edge.
struct WinogradTile {
  int64_t image, out[kWinogradPixels];
};

struct WinogradKernels {
  /// U[t][c] to `to + t * stride + c` from the 9 taps of a kernel, `channels` floats each; rounded once, from float64.
  void (*weights)(const float* const* taps, int64_t channels, float* to, int64_t stride);
  /// A row of V, tap t and channel c to `to + t * stride + c`, from the tile's pixels of `channels` floats.
  void (*input_row)(int row, const float* const* pixels, int64_t channels, float* to, int64_t stride);
  /// y of `count` tiles for `width` columns from `column` on; sums: tap t of tile i at `sums + t * stride + i * panel`.
  void (*output)(const float* sums, int64_t stride, int64_t panel, const WinogradTile* tiles, int64_t count, int64_t column, int width,
                 int64_t columns, const Output& out);
};

/// Whether Winograd's way is the cheaper one, where U is kept and where it has to be made: by the shape of an image, not by their
/// number.
bool winograd_suits(const ConvShape& shape);
bool winograd_suits_passing(const ConvShape& shape);

/// Floats of U in panels: (panels, kWinogradTaps, channels, gemm_kernels().panel).
int64_t winograd_size(int64_t outputs, int64_t channels);
/// U of all panels from kernels w (outputs, 3, 3, channels), and of panels [begin, end) from such kernels as panels.
void winograd_weights(int64_t outputs, int64_t channels, const float* w, float* u);
void winograd_weights(const Panels& w, int64_t begin, int64_t end, float* u);

/// As conv_forward, by U of all panels or by kernels as panels, whose U is then made on the way. Does not depend on the number
/// of images or threads.
void winograd_forward(const ConvShape& shape, const float* x, const float* u, const Output& out);
void winograd_forward(const ConvShape& shape, const float* x, const Panels& w, const Output& out);
/// dx and what Output adds: the convolution of dy with the kernels turned around, channels and outputs exchanged.
void winograd_input_gradient(const ConvShape& shape, const float* dy, const float* w, const Output& out);

}  // namespace motley::kernels
