// SPDX-License-Identifier: Apache-2.0
// Products of bf16 matrices on units that multiply pairs: two neighbouring values of a row by two of a column, added to a float32
// sum (VDPBF16PS of AVX512-BF16, TDPBF16PS of AMX).
//
//   out[row, n] = bf16(activation( sum over k of left[row, k] * w[n, k]  + what PairOutput adds ))
//
// The left matrix is a dense one or a convolution's, whose rows are written out (im2col) a chunk at a time that stays in the
// second-level cache; the right one lies ready in pairs (panels.h). The depth is cut into blocks by the depth alone, sums are
// float32 from the first product to the rounding at the end: a row's result depends on nothing but the row.
#pragma once

#include <cstdint>

#include "kernels/cpu/conv.h"
#include "kernels/cpu/panels.h"

namespace motley::kernels {

struct PairOutput {
  bf16* data;                        // (rows, columns)
  const float* bias = nullptr;       // (columns)
  const float* per_image = nullptr;  // (images, columns)
  const bf16* residual = nullptr;    // as data
  Activation activation = Activation::none;
};

/// Sums of a tile that are to be stored.
struct PairTile {
  const float* sums;  // (rows, stride)
  int64_t stride, rows;
  const int64_t* out;     // where each row of the result begins, in elements
  const int32_t* image;   // of each row
  int64_t column, width;  // columns of the result: the first, and how many
  int64_t columns;
};

/// The multiplying unit.
struct PairUnit {
  static constexpr int kPanels = 2;  // of 16 columns, at once
  static constexpr int kDepth = Panels::kPairDepth;
  int rows;  // at once, and of which there must be a multiple of `grain` (readable, perhaps not wanted)
  int grain;
  int depth_block;  // a multiple of kDepth: a block of two panels stays in the first-level cache
  /// Around the products of a thread.
  void (*begin)();
  void (*end)();
  /// sums (rows, stride) = or += a (rows, a_stride) x panels; rows <= PairUnit::rows, panel i's columns from 16 i on.
  void (*multiply)(const bf16* a, int64_t a_stride, int rows, const bf16* const* panels, int count, int64_t depth, float* sums,
                   int64_t stride, bool add);
};

/// The best unit of the instruction sets allowed, or null where there is none.
const PairUnit* pair_unit();
/// For tests, which bring units that any CPU can compute. Null: the CPU's own again.
void use_pair_unit(const PairUnit* unit);

struct PairKernels {
  void (*finish)(const PairTile& tile, const PairOutput& out);
};
const PairKernels& pair_kernels();

/// out (images, out_height, out_width, outputs) = conv(x, w) and what PairOutput adds; a dense layer is a 1x1 convolution.
/// Needs a pair_unit(); w holds pairs.
void pair_conv(const ConvShape& shape, const bf16* x, const Panels& w, const PairOutput& out);

/// As upsample_conv_forward: phases, four of them, hold the 2x2 kernels of pair_upsample_weights.
void pair_upsample_weights(const Panels& w, Panels* phases);
void pair_upsample_conv(int64_t images, int64_t height, int64_t width, int64_t channels, int64_t outputs, const bf16* x,
                        const Panels* phases, const PairOutput& out);

}  // namespace motley::kernels
