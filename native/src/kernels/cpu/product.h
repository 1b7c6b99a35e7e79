// SPDX-License-Identifier: Apache-2.0
// The matrix-product engine behind linear layers, convolutions and their gradients:
//
//   out[row, n] = activation( sum over taps t, channels c of left(row, t)[c] * right(t, c, n)  + what Output adds )
//
// The left matrix is implicit: a row is a list of runs, pointers into the source image. So nothing is unfolded (im2col):
// a convolution's row has one run per kernel tap, a plain matrix's row is one run.
// The right matrix is cut into panels of gemm_kernels().panel columns, packed once (panels.h) or on the way.
//
// Every element is summed in blocks of the depth (taps x channels) that depend on the depth alone, each block in order of
// k by fused multiply-adds, the blocks in order. So results do not depend on batch size, position or thread count.
// A run that is all padding adds zeros; leaving it out gives the same bits.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/cpu/gemm.h"
#include "kernels/cpu/panels.h"
#include "libtorch/parallel.h"

namespace motley::kernels {

/// a / b, rounded up.
inline int64_t up(int64_t a, int64_t b) { return (a + b - 1) / b; }
/// n up to a multiple.
inline int64_t whole(int64_t n, int64_t multiple) { return up(n, multiple) * multiple; }

/// A part of the depth: taps [tap_begin, tap_end) x channels [channel_begin, channel_end), whole taps or a part of one.
struct DepthBlock {
  int64_t tap_begin, tap_end, channel_begin, channel_end;
};
constexpr int64_t kDepth = 256;  // steps of a depth block: a panel of it (16 KiB with AVX2) lives in L1
std::vector<DepthBlock> depth_blocks(int64_t taps, int64_t channels, int64_t most = kDepth);

/// right(t, c, n) = data[t * tap_stride + c * channel_stride + n * column_stride]; one of the last two strides is 1.
struct Right {
  int64_t taps, channels, columns;
  const float* data;
  int64_t tap_stride, channel_stride, column_stride;
  const float* packed = nullptr;   // all panels as this instruction set reads them, e.g. made by pack(), or null
  const Panels* frozen = nullptr;  // the same matrix, to be taken from here where `packed` is null, and data with it
};

/// Elements of, and all panels of, a right matrix in packed form.
int64_t packed_size(const Right& right);
void pack(const Right& right, float* packed);

/// The rows of an implicit left matrix, in the order in which tiles take them.
class Left {
 public:
  virtual ~Left() = default;
  virtual int64_t tiles() const = 0;
  /// Fills tiles [begin, end) for a result of so many columns.
  virtual void describe(int64_t begin, int64_t end, int64_t columns, Tile* tiles) const = 0;
  /// The runs of tiles [begin, end) in one block of the depth: appended to `runs` in order of k, ends[i] = where those of
  /// tile begin + i end. At most one run per tap of the block and tile.
  virtual void runs(int64_t begin, int64_t end, const DepthBlock& block, Run* runs, int32_t* ends) const = 0;
};

/// A dense row-major matrix (rows, depth).
class DenseLeft final : public Left {
 public:
  DenseLeft(const float* data, int64_t rows, int64_t depth, int64_t rows_per_image);
  int64_t tiles() const override;
  void describe(int64_t begin, int64_t end, int64_t columns, Tile* tiles) const override;
  void runs(int64_t begin, int64_t end, const DepthBlock& block, Run* runs, int32_t* ends) const override;

 private:
  const int tile_rows_;
  const float* data_;
  const int64_t rows_, depth_, rows_per_image_;
};

/// out = activation(left * right + ...), on all threads.
void multiply(const Left& left, const Right& right, const Output& out);

/// How a grid of tiles x panels is cut into at most `parts`.
struct Split {
  int64_t tile_parts, panel_parts;
};
/// tile_cost: of preparing a tile once per panel part; panel_cost: of preparing a panel, once per `chunk` tiles of a tile part;
/// both relative to multiplying one tile by one panel.
Split choose_split(int64_t tiles, int64_t panels, int64_t parts, double tile_cost, double panel_cost, int64_t chunk);

/// Parts that so many multiply-adds are cut into: none too small, up to `each` per thread.
int64_t parts_of(int64_t multiply_adds, int64_t each = kRangesPerThread);

/// out (columns) = sums over the rows of x (rows, columns), in order.
void sum_rows(const float* x, int64_t rows, int64_t columns, float* out);

}  // namespace motley::kernels
