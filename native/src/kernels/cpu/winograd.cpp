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
constexpr double kGain = 1.25;                   // what the transforms may cost
constexpr int64_t kRowFloats = 6 << 10;          // of a row of V: what lies in the first-level cache
constexpr int64_t kCached = 1 << 20;             // floats of U that the third-level cache holds with the activations;
constexpr int64_t kTiles = 12, kManyTiles = 96;  // of a block, where there are as many: each reads all of U, from cache or memory
constexpr int64_t kFew = 128, kChain = 32;       // of more channels than kFew, kChain are summed in one go: long sums are less exact
constexpr int64_t kPassing = 4 << 20;            // floats of U made at a time where it is not kept: what stays in the third-level cache;
constexpr int64_t kPassingPanels = 8;            // but no fewer panels: each time, V is made anew
constexpr int64_t kPassingTiles = 32;            // of an image: fewer do not pay for it
constexpr int64_t kPad = 16;                     // floats between taps: without it all would share a few sets of the first-level cache

// The outputs of some panels and a block of tiles. A row of V is made, multiplied by its part of U and forgotten: with up to about 80 channels it
// does not leave the first-level cache.
class Worker {
 public:
  Worker(const ConvShape& shape, const float* x, const float* u, int64_t first_panel, int64_t panels, const Output& out, int64_t block)
      : gemm_(gemm_kernels()),
        kernels_(winograd_kernels()),
        s_(shape),
        x_(x),
        u_(u),
        out_(out),
        blocks_(depth_blocks(1, shape.channels, shape.channels <= kFew ? kFew : kChain)),
        zeros_(static_cast<size_t>(shape.channels), 0.0f),
        first_panel_(first_panel),
        panels_(panels),
        v_(kWinogradColumns * (block * shape.channels + kPad)),
        sums_(panels_ * kWinogradTaps * (block * gemm_.panel + kPad)),
        partial_(blocks_.size() > 1 ? block * gemm_.panel : 0) {
    const int64_t products = up(block, gemm_.tile_rows);
    pixels_.resize(static_cast<size_t>(block) * kWinogradTaps);
    places_.resize(static_cast<size_t>(block));
    rows_.resize(static_cast<size_t>(products));
    ends_.resize(static_cast<size_t>(products));
    runs_.resize(static_cast<size_t>(products) * kWinogradColumns * blocks_.size());
  }

  void run(int64_t begin, int64_t end) {
    count_ = end - begin;
    products_ = up(count_, gemm_.tile_rows);
    v_stride_ = count_ * s_.channels + kPad;
    sums_stride_ = count_ * gemm_.panel + kPad;
    for (int64_t i = 0; i < count_; ++i) locate(begin + i, i);
    describe();
    for (int row = 0; row < kWinogradRows; ++row) {
      for (int64_t i = 0; i < count_; ++i) {
        kernels_.input_row(row, &pixels_[static_cast<size_t>(i) * kWinogradTaps], s_.channels, v_.data() + i * s_.channels, v_stride_);
      }
      for (int tap = 0; tap < kWinogradColumns; ++tap) {
        for (int64_t p = 0; p < panels_; ++p) multiply(row, tap, p);
      }
    }
    for (int64_t p = 0; p < panels_; ++p) {
      kernels_.output(sums_of(p, 0), sums_stride_, gemm_.panel, places_.data(), count_, (first_panel_ + p) * gemm_.panel, width(p),
                      s_.outputs, out_);
    }
  }

 private:
  // source and result of tile `tile`, the i-th of the block
  void locate(int64_t tile, int64_t i) {
    const int64_t across = up(s_.width, kWinogradAcross), down = up(s_.height, kWinogradDown);
    const int64_t image = tile / (across * down), y = kWinogradDown * (tile / across % down), x = kWinogradAcross * (tile % across);
    const float** pixels = &pixels_[static_cast<size_t>(i) * kWinogradTaps];
    for (int64_t t = 0; t < kWinogradTaps; ++t) {
      const int64_t ys = y - 1 + t / kWinogradColumns, xs = x - 1 + t % kWinogradColumns;
      const bool inside = ys >= 0 && ys < s_.height && xs >= 0 && xs < s_.width;
      pixels[t] = inside ? x_ + ((image * s_.height + ys) * s_.width + xs) * s_.channels : zeros_.data();
    }
    WinogradTile& place = places_[static_cast<size_t>(i)];
    place.image = image;
    for (int64_t t = 0; t < kWinogradPixels; ++t) {
      const int64_t ys = y + t / kWinogradAcross, xs = x + t % kWinogradAcross;
      place.out[t] = ys < s_.height && xs < s_.width ? ((image * s_.height + ys) * s_.width + xs) * s_.outputs : -1;
    }
  }

  // the rows and runs of the products of a row of V, the same for all rows and panels
  void describe() {
    for (int64_t i = 0; i < products_; ++i) {
      Tile& tile = rows_[static_cast<size_t>(i)];
      tile.rows = static_cast<int32_t>(std::min<int64_t>(gemm_.tile_rows, count_ - i * gemm_.tile_rows));
      for (int r = 0; r < tile.rows; ++r) tile.out[r] = (i * gemm_.tile_rows + r) * gemm_.panel;
      ends_[static_cast<size_t>(i)] = static_cast<int32_t>(i + 1);
    }
    Run* run = runs_.data();
    for (int tap = 0; tap < kWinogradColumns; ++tap) {
      for (const DepthBlock& block : blocks_) {
        for (int64_t i = 0; i < products_; ++i, ++run) {
          run->k = static_cast<int32_t>(block.channel_begin);
          run->length = static_cast<int32_t>(block.channel_end - block.channel_begin);
          const float* from = v_.data() + tap * v_stride_ + i * gemm_.tile_rows * s_.channels + block.channel_begin;
          for (int r = 0; r < rows_[static_cast<size_t>(i)].rows; ++r) run->row[r] = from + r * s_.channels;
        }
      }
    }
  }

  // sums of one tap and panel
  void multiply(int row, int tap, int64_t panel) {
    const int64_t t = row * kWinogradColumns + tap;
    const float* u = u_ + (panel * kWinogradTaps + t) * s_.channels * gemm_.panel;
    const Output sums{sums_of(panel, t)};
    for (size_t b = 0; b < blocks_.size(); ++b) {
      gemm_.multiply(rows_.data(), products_, &runs_[(static_cast<size_t>(tap) * blocks_.size() + b) * static_cast<size_t>(products_)],
                     ends_.data(), {u, b == 0, b + 1 == blocks_.size(), partial_.data(), 0, width(panel), gemm_.panel, &sums});
    }
  }

  float* sums_of(int64_t panel, int64_t tap) const { return sums_.data() + (panel * kWinogradTaps + tap) * sums_stride_; }
  int width(int64_t panel) const {
    return static_cast<int>(std::min<int64_t>(gemm_.panel, s_.outputs - (first_panel_ + panel) * gemm_.panel));
  }

  const GemmKernels& gemm_;
  const WinogradKernels& kernels_;
  const ConvShape& s_;
  const float* x_;
  const float* u_;  // of the panels from first_panel_ on
  const Output& out_;
  const std::vector<DepthBlock> blocks_;
  const std::vector<float> zeros_;
  const int64_t first_panel_, panels_;
  int64_t count_ = 0, products_ = 0, v_stride_ = 0, sums_stride_ = 0;  // of this block; strides between taps
  Scratch v_, sums_, partial_;
  std::vector<const float*> pixels_;
  std::vector<WinogradTile> places_;
  std::vector<Tile> rows_;
  std::vector<int32_t> ends_;
  std::vector<Run> runs_;
};

int64_t tiles_of(int64_t height, int64_t width) { return up(height, kWinogradDown) * up(width, kWinogradAcross); }

// u (kWinogradTaps, outputs, channels); turned: kernels rotated by half a turn
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

// Panels [first_panel, first_panel + panels) of the result by their part of U.
void forward(const ConvShape& s, const float* x, const float* u, int64_t first_panel, int64_t panels, const Output& out) {
  const GemmKernels& gemm = gemm_kernels();
  const int64_t tiles = s.images * tiles_of(s.height, s.width), rows = gemm.tile_rows;
  const int64_t least = kWinogradTaps * s.channels * panels * gemm.panel <= kCached ? kTiles : kManyTiles;
  const int64_t most = up(std::max(least, kRowFloats / (kWinogradColumns * s.channels)), rows) * rows;
  const int64_t parts = up(tiles, std::min(most, up(up(tiles, parallel_threads()), rows) * rows));
  const int64_t block = up(up(tiles, parts), rows) * rows;
  parallel_for(up(tiles, block), 1, [&](int64_t begin, int64_t end) {
    Worker worker(s, x, u, first_panel, panels, out, block);
    for (int64_t i = begin; i < end; ++i) worker.run(i * block, std::min((i + 1) * block, tiles));
  });
}

}  // namespace

bool winograd_suits(const ConvShape& s) {
  if (s.kernel_h != 3 || s.kernel_w != 3 || s.stride != 1 || s.top != 1 || s.left != 1) return false;
  if (s.out_height != s.height || s.out_width != s.width || s.channels < kFewChannels || s.outputs < kFewChannels) return false;
  const auto direct = static_cast<double>((3 * s.height - 2) * (3 * s.width - 2));  // taps inside the image
  return static_cast<double>(kWinogradTaps * tiles_of(s.height, s.width)) * kGain < direct;
}

bool winograd_suits_passing(const ConvShape& s) { return winograd_suits(s) && tiles_of(s.height, s.width) >= kPassingTiles; }

int64_t winograd_size(int64_t outputs, int64_t channels) {
  const int64_t panel = gemm_kernels().panel;
  return kWinogradTaps * channels * up(outputs, panel) * panel;
}

void winograd_weights(int64_t outputs, int64_t channels, const float* w, float* u) {
  Scratch transformed(kWinogradTaps * outputs * channels);
  transform_weights(outputs, channels, w, false, transformed.data());
  pack({kWinogradTaps, channels, outputs, transformed.data(), outputs * channels, 1, channels}, u);
}

void winograd_weights(const Panels& w, int64_t begin, int64_t end, float* u) {
  constexpr int64_t kTogether = 64;  // channels: their taps lie in the first-level cache while they are transformed
  const auto transform = winograd_kernels().weights;
  const int64_t channels = w.depth() / 9, wide = gemm_kernels().panel, chunks = up(channels, kTogether);
  parallel_for((end - begin) * chunks, 1, [&](int64_t first, int64_t last) {
    Scratch scratch(9 * Panels::block_floats(kTogether));
    for (int64_t i = first; i < last; ++i) {
      const int64_t panel = i / chunks, c = i % chunks * kTogether, count = std::min(kTogether, channels - c);
      const float* taps[9];
      for (int64_t t = 0; t < 9; ++t) {
        const int64_t k = t * channels + c;
        taps[t] = w.block(begin + panel, k, k + count, scratch.data() + t * Panels::block_floats(kTogether)) + k * wide;
      }
      // (channel, column) side by side are as many independent kernels
      transform(taps, count * wide, u + (panel * kWinogradTaps * channels + c) * wide, channels * wide);
    }
  });
}

void winograd_forward(const ConvShape& s, const float* x, const float* u, const Output& out) {
  if (s.images > 0) forward(s, x, u, 0, up(s.outputs, gemm_kernels().panel), out);
}

void winograd_forward(const ConvShape& s, const float* x, const Panels& w, const Output& out) {
  if (s.images == 0) return;
  const int64_t wide = gemm_kernels().panel, panels = up(s.outputs, wide), size = kWinogradTaps * s.channels * wide;
  const int64_t groups = up(panels, std::max(kPassingPanels, kPassing / size)), group = up(panels, groups);
  const Scratch u(group * size);
  for (int64_t p = 0; p < panels; p += group) {
    const int64_t count = std::min(group, panels - p);
    winograd_weights(w, p, p + count, u.data());
    forward(s, x, u.data(), p, count, out);
  }
}

void winograd_input_gradient(const ConvShape& s, const float* dy, const float* w, const Output& out) {
  const ConvShape turned{s.images, s.height, s.width, s.outputs, s.channels, 3, 3, 1, 1, 1, s.height, s.width};
  const Scratch transformed(kWinogradTaps * s.outputs * s.channels), u(winograd_size(s.channels, s.outputs));
  transform_weights(s.outputs, s.channels, w, true, transformed.data());
  pack({kWinogradTaps, s.outputs, s.channels, transformed.data(), s.outputs * s.channels, s.channels, 1}, u.data());
  winograd_forward(turned, dy, u.data(), out);
}

}  // namespace motley::kernels
