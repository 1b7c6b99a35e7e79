// SPDX-License-Identifier: Apache-2.0
// The register kernels of the matrix-product engine (product.h): what is compiled once per instruction set.
#pragma once

#include <cstdint>

#include "kernels/cpu/activation.h"
#include "libtorch/bf16.h"

namespace motley::kernels {

constexpr int kMaxTileRows = 12;

/// Consecutive depth indices [k, k + length) of the rows of one tile.
struct Run {
  int32_t k, length;
  const float* row[kMaxTileRows];
};

/// Rows that one call of the register kernel computes.
struct Tile {
  int32_t rows;
  int32_t image[kMaxTileRows];
  int64_t out[kMaxTileRows];  // where the row of the result begins, in floats
};

struct Output {
  float* data;                       // (rows, columns)
  const float* bias = nullptr;       // (columns)
  const float* per_image = nullptr;  // (images, columns)
  const float* residual = nullptr;   // as data
  Activation activation = Activation::none;
};

/// One panel in one depth block.
struct PanelStep {
  const float* panel;  // depth index k lies at panel + k * GemmKernels::panel
  bool first, last;    // of the depth's blocks
  float* sums;         // (tiles, tile_rows, panel): partial sums between the blocks; unused if there is one block
  int64_t column;      // of the result, that the panel begins at
  int width;           // columns of the panel
  int64_t columns;     // of the result
  const Output* out;   // where the last block's results go
};

/// A piece of the depth of an outer-product sum: `length` steps from step `first` of the packed left side.
struct Segment {
  int32_t first, length;
};

struct GemmKernels {
  int tile_rows;  // of the register kernel
  int panel;      // its columns
  /// Multiplies tiles by one panel of the right matrix over one depth block; tile i's runs end at ends[i].
  void (*multiply)(const Tile* tiles, int64_t count, const Run* runs, const int32_t* ends, const PanelStep& step);
  /// out (rows x width, row stride out_stride) += or = sum over steps of a[step][row] * b[step][column];
  /// a is packed by tile_rows, b by panel and holds only the segments' steps, one after the other.
  void (*outer)(const float* a, const float* b, const Segment* segments, int64_t count, int rows, int width, bool first, float* out,
                int64_t out_stride);
  /// Panels side by side, the p-th at to + p * to_stride: place [k * panel + j] = from[k * stride + p * panel + j], 0 beyond
  /// width.
  void (*pack_rows)(const float* from, int64_t stride, int64_t depth, int width, float* to, int64_t to_stride);
  /// to[k * panel + j] = from[j * stride + k] for j < width, else 0.
  void (*pack_columns)(const float* from, int64_t stride, int64_t depth, int width, float* to);
  /// to[k * panel + j] = rows[k][offset + j] for j < width, else 0.
  void (*gather_panel)(const float* const* rows, int64_t count, int64_t offset, int width, float* to);
  /// The same in tiles of tile_rows side by side, the t-th at to + t * to_stride.
  void (*gather_tiles)(const float* const* rows, int64_t count, int64_t offset, int width, float* to, int64_t to_stride);
  /// to[2 * i * panel + j], to[(2 * i + 1) * panel + j] = the i-th pair of column j, j < columns, of pairs (count, 16, 2).
  void (*widen_pairs)(const bf16* pairs, int64_t count, int columns, float* to);
  /// to[i * panel + j] = row i of halves (count, 16), j < columns.
  void (*widen_halves)(const half* halves, int64_t count, int columns, float* to);
  /// out[0 .. width) = sum over rows of x[row * stride + 0 .. width), width <= panel.
  void (*sum_rows)(const float* x, int64_t rows, int64_t stride, int width, float* out);
};

const GemmKernels& gemm_kernels();

}  // namespace motley::kernels
