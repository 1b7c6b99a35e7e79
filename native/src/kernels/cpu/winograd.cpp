// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/winograd.h"

#include <algorithm>
#include <vector>

#include "kernels/cpu/isa.h"
#include "kernels/cpu/scratch.h"
#include "libtorch/parallel.h"

namespace motley::kernels {

MOTLEY_CHOOSE(winograd, WinogradKernels)

namespace {

constexpr int64_t kFewChannels = 8;
constexpr double kGain = 1.25;                // what the transforms may cost
constexpr int64_t kBlockFloats = 24 << 10;    // of V: what lies in the second-level cache beside a panel of U
constexpr int64_t kCached = 1 << 20;          // floats of U that the third-level cache holds with the activations;
constexpr int64_t kRows = 24, kManyRows = 96;  // tiles of a block at least: each reads all of U, from cache or from memory
constexpr int64_t kChain = 128;               // channels summed in one go: longer chains of additions are less exact
constexpr int64_t kPad = 16;                  // floats between taps: without it all 16 would share a few sets of the first-level cache

// All outputs of a block of tiles.
class Worker {
 public:
  Worker(const ConvShape& shape, const float* x, const Right& right, const Output& out, int64_t block)
      : gemm_(gemm_kernels()), kernels_(winograd_kernels()), s_(shape), x_(x), right_(right), out_(out),
        blocks_(depth_blocks(1, shape.channels, kChain)), zeros_(static_cast<size_t>(shape.channels), 0.0f),
        v_(kWinogradTaps * (block * shape.channels + kPad)), sums_(kWinogradTaps * (block * gemm_.panel + kPad)),
        partial_(blocks_.size() > 1 ? block * gemm_.panel : 0) {
    const int64_t rows = up(block, gemm_.tile_rows);
    places_.resize(static_cast<size_t>(block));
    rows_.resize(static_cast<size_t>(rows));
    ends_.resize(static_cast<size_t>(rows));
    runs_.resize(static_cast<size_t>(rows) * kWinogradTaps * blocks_.size());
  }

  void run(int64_t begin, int64_t end) {
    const int64_t count = end - begin, products = up(count, gemm_.tile_rows);
    stride_ = count * s_.channels + kPad;
    for (int64_t i = 0; i < count; ++i) transform(begin + i, i);
    describe(count, products);
    for (int64_t p = 0; p * gemm_.panel < s_.outputs; ++p) multiply(p, count, products);
  }

 private:
  // V of tile `tile` to place i of the block
  void transform(int64_t tile, int64_t i) {
    const int64_t across = up(s_.width, 2), down = up(s_.height, 2);
    const int64_t image = tile / (across * down), y = 2 * (tile / across % down), x = 2 * (tile % across);
    const float* pixels[kWinogradTaps];
    for (int64_t t = 0; t < kWinogradTaps; ++t) {
      const int64_t ys = y - 1 + t / 4, xs = x - 1 + t % 4;
      const bool inside = ys >= 0 && ys < s_.height && xs >= 0 && xs < s_.width;
      pixels[t] = inside ? x_ + ((image * s_.height + ys) * s_.width + xs) * s_.channels : zeros_.data();
    }
    kernels_.input(pixels, s_.channels, v_.data() + i * s_.channels, stride_);
    WinogradTile& place = places_[static_cast<size_t>(i)];
    place.image = image;
    for (int64_t t = 0; t < 4; ++t) {
      const int64_t ys = y + t / 2, xs = x + t % 2;
      place.out[t] = ys < s_.height && xs < s_.width ? (image * s_.height + ys) * s_.width + xs : -1;
    }
  }

  // the rows and runs of the 16 products, the same for all panels
  void describe(int64_t count, int64_t products) {
    for (int64_t i = 0; i < products; ++i) {
      Tile& tile = rows_[static_cast<size_t>(i)];
      tile.rows = static_cast<int32_t>(std::min<int64_t>(gemm_.tile_rows, count - i * gemm_.tile_rows));
      for (int r = 0; r < tile.rows; ++r) tile.out[r] = i * gemm_.tile_rows + r;
      ends_[static_cast<size_t>(i)] = static_cast<int32_t>(i + 1);
    }
    Run* run = runs_.data();
    for (int64_t t = 0; t < kWinogradTaps; ++t) {
      for (const DepthBlock& block : blocks_) {
        for (int64_t i = 0; i < products; ++i, ++run) {
          run->k = static_cast<int32_t>(t * s_.channels + block.channel_begin);
          run->length = static_cast<int32_t>(block.channel_end - block.channel_begin);
          const float* from = v_.data() + t * stride_ + i * gemm_.tile_rows * s_.channels + block.channel_begin;
          for (int r = 0; r < rows_[static_cast<size_t>(i)].rows; ++r) run->row[r] = from + r * s_.channels;
        }
      }
    }
  }

  void multiply(int64_t p, int64_t count, int64_t products) {
    const int64_t column = p * gemm_.panel, stride = count * gemm_.panel + kPad;
    const int width = static_cast<int>(std::min<int64_t>(gemm_.panel, s_.outputs - column));
    const float* panel = right_.packed + p * gemm_.panel * kWinogradTaps * s_.channels;
    const Run* run = runs_.data();
    for (int64_t t = 0; t < kWinogradTaps; ++t) {
      const Output sums{sums_.data() + t * stride};
      for (size_t b = 0; b < blocks_.size(); ++b, run += products) {
        gemm_.multiply(rows_.data(), products, run, ends_.data(),
                       {panel, b == 0, b + 1 == blocks_.size(), partial_.data(), 0, width, gemm_.panel, &sums});
      }
    }
    kernels_.output(sums_.data(), stride, gemm_.panel, places_.data(), count, column, width, s_.outputs, out_);
  }

  const GemmKernels& gemm_;
  const WinogradKernels& kernels_;
  const ConvShape& s_;
  const float* x_;
  const Right& right_;
  const Output& out_;
  const std::vector<DepthBlock> blocks_;
  const std::vector<float> zeros_;
  int64_t stride_ = 0;  // between taps of V
  Scratch v_, sums_, partial_;
  std::vector<WinogradTile> places_;
  std::vector<Tile> rows_;
  std::vector<int32_t> ends_;
  std::vector<Run> runs_;
};

// turned: kernels rotated by half a turn
void transform_weights(int64_t outputs, int64_t channels, const float* w, bool turned, float* u) {
  const auto transform = winograd_kernels().weights;
  parallel_for(outputs, 1 + 4096 / channels, [&](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; ++o) {
      const float* taps[9];
      for (int t = 0; t < 9; ++t) taps[t] = w + (o * 9 + (turned ? 8 - t : t)) * channels;
      transform(taps, channels, u + o * channels, outputs * channels);
    }
  });
}

}  // namespace

bool winograd_suits(const ConvShape& s) {
  if (s.kernel_h != 3 || s.kernel_w != 3 || s.stride != 1 || s.top != 1 || s.left != 1) return false;
  if (s.out_height != s.height || s.out_width != s.width || s.channels < kFewChannels || s.outputs < kFewChannels) return false;
  const auto direct = static_cast<double>((3 * s.height - 2) * (3 * s.width - 2));  // taps inside the image
  return static_cast<double>(kWinogradTaps * up(s.height, 2) * up(s.width, 2)) * kGain < direct;
}

void winograd_weights(int64_t outputs, int64_t channels, const float* w, float* u) {
  transform_weights(outputs, channels, w, false, u);
}

Right winograd_right(const float* u, int64_t outputs, int64_t channels) {
  return {kWinogradTaps, channels, outputs, u, outputs * channels, 1, channels};
}

void winograd_forward(const ConvShape& s, const float* x, const Right& right, const Output& out) {
  Right packed = right;
  Scratch panels;
  if (right.packed == nullptr) {
    panels = Scratch(packed_size(right));
    pack(right, panels.data());
    packed.packed = panels.data();
  }
  const int64_t tiles = s.images * up(s.height, 2) * up(s.width, 2), rows = gemm_kernels().tile_rows;
  const int64_t least = packed_size(right) <= kCached ? kRows : kManyRows;
  const int64_t most = up(std::max(least, kBlockFloats / (kWinogradTaps * s.channels)), rows) * rows;
  const int64_t parts = up(tiles, std::min(most, up(up(tiles, parallel_threads()), rows) * rows));
  const int64_t block = up(up(tiles, parts), rows) * rows;
  parallel_for(up(tiles, block), 1, [&](int64_t begin, int64_t end) {
    Worker worker(s, x, packed, out, block);
    for (int64_t i = begin; i < end; ++i) worker.run(i * block, std::min((i + 1) * block, tiles));
  });
}

void winograd_input_gradient(const ConvShape& s, const float* dy, const float* w, const Output& out) {
  const ConvShape turned{s.images, s.height, s.width, s.outputs, s.channels, 3, 3, 1, 1, 1, s.height, s.width};
  Scratch u(kWinogradTaps * s.outputs * s.channels);
  transform_weights(s.outputs, s.channels, w, true, u.data());
  const Right right{kWinogradTaps, s.outputs, s.channels, u.data(), s.outputs * s.channels, s.channels, 1};
  winograd_forward(turned, dy, right, out);
}

}  // namespace motley::kernels
