// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/conv.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <vector>

#include "kernels/cpu/scratch.h"
#include "kernels/cpu/winograd.h"
#include "libtorch/parallel.h"

namespace motley::kernels {
namespace {

constexpr int64_t kImagesTogether = 1 << 18;  // floats of source images that share tiles: more would not stay in the caches
constexpr int64_t kFewChannels = 8;           // below, a kernel row is one run: see Source
constexpr int64_t kSteps = 256;               // pixels of a depth block of the weight gradient
constexpr int64_t kPackedDy = 72 << 10;       // floats of packed dy that stay in L2 while all of x passes by
constexpr int64_t kSideBySide = 8;            // tiles packed at once: whole cache lines of dy, as many streams

// For each position of the result along one axis and each tap: the source's index, or -1 in the padding.
struct Axis {
  int64_t positions, taps;
  std::vector<int32_t> source;
  int32_t at(int64_t position, int64_t tap) const { return source[static_cast<size_t>(position * taps + tap)]; }

  // whether any tap is valid
  bool any(int64_t position) const {
    const auto begin = source.begin() + position * taps;
    return std::any_of(begin, begin + taps, [](int32_t s) { return s >= 0; });
  }

  // positions grouped by which taps are valid
  std::vector<std::vector<int32_t>> classes() const {
    std::map<std::vector<bool>, std::vector<int32_t>> groups;
    for (int64_t p = 0; p < positions; ++p) {
      std::vector<bool> valid;
      for (int64_t t = 0; t < taps; ++t) valid.push_back(at(p, t) >= 0);
      groups[valid].push_back(static_cast<int32_t>(p));
    }
    std::vector<std::vector<int32_t>> out;
    for (auto& [valid, members] : groups) out.push_back(std::move(members));
    return out;
  }
};

Axis forward_axis(int64_t positions, int64_t taps, int64_t stride, int64_t before, int64_t size) {
  Axis axis{positions, taps, {}};
  for (int64_t p = 0; p < positions; ++p) {
    for (int64_t t = 0; t < taps; ++t) {
      const int64_t s = p * stride - before + t;
      axis.source.push_back(static_cast<int32_t>(s >= 0 && s < size ? s : -1));
    }
  }
  return axis;
}

// where dx's positions find the outputs they went into
Axis backward_axis(int64_t positions, int64_t taps, int64_t stride, int64_t before, int64_t outputs) {
  Axis axis{positions, taps, {}};
  for (int64_t p = 0; p < positions; ++p) {
    for (int64_t t = 0; t < taps; ++t) {
      const int64_t s = p + before - t;
      axis.source.push_back(static_cast<int32_t>(s >= 0 && s % stride == 0 && s / stride < outputs ? s / stride : -1));
    }
  }
  return axis;
}

// Images as the rows of a product read them: tap (ty, tx) of pixel (y, x) is `channels` floats at (ys, xs).
struct Source {
  const float* data;
  int64_t images, row, image;  // strides in floats
  int64_t pixel, channels;
  Axis y, x;
  const float* at(int64_t n, int64_t ys, int64_t xs) const { return data + n * image + ys * row + xs * pixel; }
};

// With few channels a run of one tap is too short to be worth its pointers. Then the image gets its left and right padding
// written out, and the taps of a kernel row, contiguous in memory as in the weights, are one run of kernel_w * channels.
bool by_kernel_rows(const ConvShape& s) { return s.channels < kFewChannels && s.kernel_w > 1; }

Source forward_source(const ConvShape& s, const float* x, Scratch& padded) {
  Axis y = forward_axis(s.out_height, s.kernel_h, s.stride, s.top, s.height);
  if (!by_kernel_rows(s)) {
    return {x,          s.images,   s.width * s.channels, s.height * s.width * s.channels,
            s.channels, s.channels, std::move(y),         forward_axis(s.out_width, s.kernel_w, s.stride, s.left, s.width)};
  }
  const int64_t width = std::max((s.out_width - 1) * s.stride + s.kernel_w, s.left + s.width);
  const int64_t row = width * s.channels, taken = s.width * s.channels, before = s.left * s.channels;
  padded = Scratch(s.images * s.height * row);
  float* to = padded.data();
  parallel_for(s.images * s.height, 1 + 4096 / row, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      std::fill_n(to + i * row, before, 0.0f);
      std::memcpy(to + i * row + before, x + i * taken, static_cast<size_t>(taken) * sizeof(float));
      std::fill_n(to + i * row + before + taken, row - before - taken, 0.0f);
    }
  });
  return {to,           s.images,
          row,          s.height * row,
          s.channels,   s.kernel_w * s.channels,
          std::move(y), forward_axis(s.out_width, 1, s.stride, 0, width)};
}

class ConvLeft final : public Left {
 public:
  // without_padding: leaves out the pixels of the result that no product reaches
  ConvLeft(Source source, Placement placement, bool without_padding = false)
      : tile_rows_(gemm_kernels().tile_rows),
        source_(std::move(source)),
        placement_(placement),
        zeros_(static_cast<size_t>(source_.channels), 0.0f) {
    for (const auto& ys : source_.y.classes()) {
      for (const auto& xs : source_.x.classes()) {
        if (without_padding && !(source_.y.any(ys.front()) && source_.x.any(xs.front()))) continue;
        for (int32_t y : ys) {
          for (int32_t x : xs) order_.push_back({y, x});
        }
      }
    }
    together_ = source_.image * tile_rows_ <= kImagesTogether ? tile_rows_ : 1;
    blocks_ = source_.images / together_;
    rest_ = source_.images % together_;
    block_tiles_ = up(positions() * together_, tile_rows_);
  }

  int64_t tiles() const override { return blocks_ * block_tiles_ + up(positions() * rest_, tile_rows_); }

  void describe(int64_t begin, int64_t end, int64_t columns, Tile* tiles) const override {
    for (int64_t t = begin; t < end; ++t, ++tiles) {
      Row rows[kMaxTileRows];
      tiles->rows = locate(t, rows);
      for (int r = 0; r < tiles->rows; ++r) {
        tiles->image[r] = rows[r].image;
        tiles->out[r] =
            columns * (rows[r].image * placement_.pixels + rows[r].y * placement_.row + rows[r].x * placement_.column + placement_.offset);
      }
    }
  }

  void runs(int64_t begin, int64_t end, const DepthBlock& block, Run* runs, int32_t* ends) const override {
    Run* next = runs;
    for (int64_t t = begin; t < end; ++t) {
      Row rows[kMaxTileRows];
      const int count = locate(t, rows);
      Run* const first = next;
      for (int64_t tap = block.tap_begin; tap < block.tap_end; ++tap) {
        next->k = static_cast<int32_t>(tap * source_.channels + block.channel_begin);
        next->length = static_cast<int32_t>(block.channel_end - block.channel_begin);
        const bool any = together_ > 1 && t < blocks_ * block_tiles_ ? point_together(rows, count, tap, block.channel_begin, *next)
                                                                     : point(rows, count, tap, block.channel_begin, *next);
        if (!any || (next != first && join(next[-1], *next, count))) continue;
        ++next;
      }
      ends[t - begin] = static_cast<int32_t>(next - runs);
    }
  }

 private:
  struct Position {
    int32_t y, x;
  };
  struct Row {
    int32_t image, y, x;
  };

  int64_t positions() const { return static_cast<int64_t>(order_.size()); }

  int locate(int64_t tile, Row* rows) const {
    const int64_t block = std::min(tile / block_tiles_, blocks_);
    const int64_t images = block < blocks_ ? together_ : rest_;
    const int64_t begin = (tile - block * block_tiles_) * tile_rows_;
    const auto count = static_cast<int>(std::min<int64_t>(tile_rows_, positions() * images - begin));
    int64_t position = begin / images, image = begin % images;
    for (int r = 0; r < count; ++r) {
      const Position p = order_[static_cast<size_t>(position)];
      rows[r] = {static_cast<int32_t>(block * together_ + image), p.y, p.x};
      if (++image == images) {
        image = 0;
        ++position;
      }
    }
    return count;
  }

  // Points a run at one tap of the rows; false if it is padding for all of them.
  bool point(const Row* rows, int count, int64_t tap, int64_t channel, Run& run) const {
    const int64_t ty = tap / source_.x.taps, tx = tap % source_.x.taps;
    bool any = false;
    for (int r = 0; r < count; ++r) {
      const int32_t ys = source_.y.at(rows[r].y, ty), xs = source_.x.at(rows[r].x, tx);
      const bool inside = ys >= 0 && xs >= 0;
      run.row[r] = inside ? source_.at(rows[r].image, ys, xs) + channel : zeros_.data();
      any |= inside;
    }
    return any;
  }

  // The same where all rows are one pixel of consecutive images.
  bool point_together(const Row* rows, int count, int64_t tap, int64_t channel, Run& run) const {
    const int32_t ys = source_.y.at(rows->y, tap / source_.x.taps), xs = source_.x.at(rows->x, tap % source_.x.taps);
    if (ys < 0 || xs < 0) return false;
    const float* from = source_.at(rows->image, ys, xs) + channel;
    for (int r = 0; r < count; ++r) run.row[r] = from + r * source_.image;
    return true;
  }

  // Neighbouring taps of whole pixels are contiguous in both matrices.
  static bool join(Run& before, const Run& run, int count) {
    if (before.k + before.length != run.k) return false;
    for (int r = 0; r < count; ++r) {
      if (before.row[r] + before.length != run.row[r]) return false;
    }
    before.length += run.length;
    return true;
  }

  const int tile_rows_;
  const Source source_;
  const Placement placement_;
  const std::vector<float> zeros_;
  std::vector<Position> order_;
  int64_t together_, blocks_, rest_, block_tiles_;
};

// A depth block of the weight gradient: pixels in the order (y, x, image).
struct Piece {
  int64_t image_begin, image_end, y_begin, y_end;
};

std::vector<Piece> pieces_of(const ConvShape& s) {
  const int64_t pixels = s.out_height * s.out_width;
  const int64_t images = std::max<int64_t>(1, kSteps / pixels),
                rows = pixels <= kSteps ? s.out_height : std::max<int64_t>(1, kSteps / s.out_width);
  std::vector<Piece> pieces;
  for (int64_t n = 0; n < s.images; n += images) {
    for (int64_t y = 0; y < s.out_height; y += rows) {
      pieces.push_back({n, std::min(n + images, s.images), y, std::min(y + rows, s.out_height)});
    }
  }
  return pieces;
}

class WeightGradient {
 public:
  WeightGradient(const ConvShape& shape, const Source& source, const float* dy, float* dw)
      : kernels_(gemm_kernels()),
        shape_(shape),
        source_(source),
        dy_(dy),
        dw_(dw),
        pieces_(pieces_of(shape)),
        tap_panels_(up(source.channels, kernels_.panel)) {
    for (const Piece& p : pieces_) most_ = std::max(most_, steps(p));
    dy_rows_.resize(static_cast<size_t>(most_));
    x_rows_.resize(static_cast<size_t>(most_));
    tile_size_ = most_ * kernels_.tile_rows;
    group_ = std::max<int64_t>(1, std::min(up(shape.outputs, kernels_.tile_rows), kPackedDy / tile_size_));
    packed_dy_ = Scratch(group_ * tile_size_);
    packed_x_ = Scratch(most_ * kernels_.panel);
  }

  // rows [tile_begin, tile_end) x tile_rows of dw, panels [panel_begin, panel_end) of its taps' channels
  void run(int64_t tile_begin, int64_t tile_end, int64_t panel_begin, int64_t panel_end) {
    for (int64_t t = tile_begin; t < tile_end; t += group_) {
      const int64_t end = std::min(t + group_, tile_end);
      for (size_t i = 0; i < pieces_.size(); ++i) run_piece(pieces_[i], i == 0, t, end, panel_begin, panel_end);
    }
  }

 private:
  int64_t steps(const Piece& p) const { return (p.image_end - p.image_begin) * (p.y_end - p.y_begin) * shape_.out_width; }

  void run_piece(const Piece& piece, bool first, int64_t tile_begin, int64_t tile_end, int64_t panel_begin, int64_t panel_end) {
    pack_dy(piece, tile_begin, tile_end);
    int64_t tap_ready = -1, count = 0;
    for (int64_t p = panel_begin; p < panel_end; ++p) {
      const int64_t tap = p / tap_panels_, channel = p % tap_panels_ * kernels_.panel;
      if (tap != tap_ready) count = point(piece, tap);
      tap_ready = tap;
      if (segments_.empty() && !first) continue;
      const int width = static_cast<int>(std::min<int64_t>(kernels_.panel, source_.channels - channel));
      kernels_.gather_panel(x_rows_.data(), count, channel, width, packed_x_.data());
      const int64_t columns = source_.y.taps * source_.x.taps * source_.channels;
      for (int64_t t = tile_begin; t < tile_end; ++t) {
        const int64_t row = t * kernels_.tile_rows;
        kernels_.outer(packed_dy_.data() + (t - tile_begin) * tile_size_, packed_x_.data(), segments_.data(),
                       static_cast<int64_t>(segments_.size()),
                       static_cast<int>(std::min<int64_t>(kernels_.tile_rows, shape_.outputs - row)), width, first,
                       dw_ + row * columns + tap * source_.channels + channel, columns);
      }
    }
  }

  void pack_dy(const Piece& piece, int64_t tile_begin, int64_t tile_end) {
    size_t k = 0;
    for (int64_t y = piece.y_begin; y < piece.y_end; ++y) {
      for (int64_t x = 0; x < shape_.out_width; ++x) {
        for (int64_t n = piece.image_begin; n < piece.image_end; ++n) {
          dy_rows_[k++] = dy_ + ((n * shape_.out_height + y) * shape_.out_width + x) * shape_.outputs;
        }
      }
    }
    for (int64_t t = tile_begin; t < tile_end; t += kSideBySide) {
      const int64_t row = t * kernels_.tile_rows, end = std::min(std::min(t + kSideBySide, tile_end) * kernels_.tile_rows, shape_.outputs);
      kernels_.gather_tiles(dy_rows_.data(), steps(piece), row, static_cast<int>(end - row),
                            packed_dy_.data() + (t - tile_begin) * tile_size_, tile_size_);
    }
  }

  // The steps of the piece where the tap is inside the image, and its source rows there.
  int64_t point(const Piece& piece, int64_t tap) {
    const int64_t ty = tap / source_.x.taps, tx = tap % source_.x.taps, images = piece.image_end - piece.image_begin;
    size_t count = 0;
    segments_.clear();
    for (int64_t y = piece.y_begin; y < piece.y_end; ++y) {
      const int32_t ys = source_.y.at(y, ty);
      if (ys < 0) continue;
      for (int64_t x = 0; x < shape_.out_width; ++x) {
        const int32_t xs = source_.x.at(x, tx);
        if (xs < 0) continue;
        const auto step = static_cast<int32_t>(((y - piece.y_begin) * shape_.out_width + x) * images);
        if (!segments_.empty() && segments_.back().first + segments_.back().length == step) {
          segments_.back().length += static_cast<int32_t>(images);
        } else {
          segments_.push_back({step, static_cast<int32_t>(images)});
        }
        for (int64_t n = piece.image_begin; n < piece.image_end; ++n) x_rows_[count++] = source_.at(n, ys, xs);
      }
    }
    return static_cast<int64_t>(count);
  }

  const GemmKernels& kernels_;
  const ConvShape& shape_;
  const Source& source_;
  const float* dy_;
  float* dw_;
  const std::vector<Piece> pieces_;
  const int64_t tap_panels_;
  int64_t most_ = 0, tile_size_ = 0, group_ = 0;  // steps of a piece; floats of a packed tile of dy; tiles packed together
  std::vector<const float*> dy_rows_, x_rows_;
  std::vector<Segment> segments_;
  Scratch packed_dy_, packed_x_;
};

}  // namespace

Right conv_right(const ConvShape& s, const float* w) {
  const bool merged = by_kernel_rows(s);
  const int64_t taps = merged ? s.kernel_h : s.kernel_h * s.kernel_w, channels = merged ? s.kernel_w * s.channels : s.channels;
  return {taps, channels, s.outputs, w, channels, 1, taps * channels};
}

Right conv_right(const ConvShape& s, const Panels& w) {
  Right right = conv_right(s, static_cast<const float*>(nullptr));
  right.packed = w.ready();
  right.frozen = &w;
  return right;
}

void conv_forward(const ConvShape& s, const float* x, const Right& right, const Output& out) {
  const int64_t pixels = s.out_height * s.out_width;
  if (s.kernel_h == 1 && s.kernel_w == 1 && s.stride == 1 && s.top == 0 && s.left == 0 && pixels == s.height * s.width) {
    return multiply(DenseLeft(x, s.images * pixels, s.channels, pixels), right, out);
  }
  Scratch padded;
  multiply(ConvLeft(forward_source(s, x, padded), {pixels, s.out_width, 1, 0}), right, out);
}

void conv_input_gradient(const ConvShape& s, const float* dy, const float* w, float* dx, bool add) {
  const Output out{dx, nullptr, nullptr, add ? dx : nullptr};
  if (winograd_suits(s)) return winograd_input_gradient(s, dy, w, out);
  const int64_t taps = s.kernel_h * s.kernel_w, pixels = s.height * s.width;
  const Right right{taps, s.outputs, s.channels, w, s.channels, taps * s.channels, 1};
  if (taps == 1 && s.stride == 1 && s.top == 0 && s.left == 0 && pixels == s.out_height * s.out_width) {
    return multiply(DenseLeft(dy, s.images * pixels, s.outputs, pixels), right, out);
  }
  Source source{dy,
                s.images,
                s.out_width * s.outputs,
                s.out_height * s.out_width * s.outputs,
                s.outputs,
                s.outputs,
                backward_axis(s.height, s.kernel_h, s.stride, s.top, s.out_height),
                backward_axis(s.width, s.kernel_w, s.stride, s.left, s.out_width)};
  multiply(ConvLeft(std::move(source), {pixels, s.width, 1, 0}, add), right, out);
}

void conv_weight_gradient(const ConvShape& s, const float* dy, const float* x, float* dw) {
  Scratch padded;
  const Source source = forward_source(s, x, padded);
  const GemmKernels& kernels = gemm_kernels();
  const int64_t tiles = up(s.outputs, kernels.tile_rows), panels = source.y.taps * source.x.taps * up(source.channels, kernels.panel);
  const int64_t work = s.images * s.out_height * s.out_width * s.outputs * s.kernel_h * s.kernel_w * s.channels;
  // a part a thread, no more: each packs its own dy and x, which costs more than stealing saves
  const Split split = choose_split(tiles, panels, parts_of(work, 1), 0.3, 0.5, tiles);
  parallel_for(split.tile_parts * split.panel_parts, 1, [&](int64_t begin, int64_t end) {
    WeightGradient worker(s, source, dy, dw);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t t = i / split.panel_parts, p = i % split.panel_parts;
      worker.run(t * tiles / split.tile_parts, (t + 1) * tiles / split.tile_parts, p * panels / split.panel_parts,
                 (p + 1) * panels / split.panel_parts);
    }
  });
}

int64_t upsample_size(int64_t outputs, int64_t channels) {
  const int64_t panel = gemm_kernels().panel;
  return 16 * channels * up(outputs, panel) * panel;
}

void upsample_weights(const Panels& w, float* phases) {
  // along one axis: the even phase reads taps {0} and {1, 2} of the source's previous and own pixel, the odd one {0, 1} and {2}
  static constexpr int kFirst[2][2] = {{0, 1}, {0, 2}}, kLast[2][2] = {{0, 2}, {1, 2}};
  constexpr int64_t kTogether = 64;  // channels: their taps lie in the first-level cache while they are added up
  const int64_t channels = w.depth() / 9, wide = gemm_kernels().panel, panels = up(w.columns(), wide), chunks = up(channels, kTogether);
  parallel_for(panels * chunks, 1, [&](int64_t begin, int64_t end) {
    const Scratch scratch(9 * Panels::block_floats(kTogether));
    for (int64_t i = begin; i < end; ++i) {
      const int64_t panel = i / chunks, c = i % chunks * kTogether, count = std::min(kTogether, channels - c);
      const float* taps[9];
      for (int64_t t = 0; t < 9; ++t) {
        const int64_t k = t * channels + c;
        taps[t] = w.block(panel, k, k + count, scratch.data() + t * Panels::block_floats(kTogether)) + k * wide;
      }
      for (int phase = 0; phase < 4; ++phase) {
        for (int tap = 0; tap < 4; ++tap) {
          float* to = phases + (((phase * panels + panel) * 4 + tap) * channels + c) * wide;
          std::fill_n(to, count * wide, 0.0f);
          for (int ky = kFirst[phase / 2][tap / 2]; ky <= kLast[phase / 2][tap / 2]; ++ky) {
            for (int kx = kFirst[phase % 2][tap % 2]; kx <= kLast[phase % 2][tap % 2]; ++kx) {
              const float* from = taps[ky * 3 + kx];
              for (int64_t k = 0; k < count * wide; ++k) to[k] += from[k];
            }
          }
        }
      }
    }
  });
}

void upsample_conv_forward(int64_t images, int64_t height, int64_t width, int64_t channels, int64_t outputs, const float* x,
                           const float* phases, const Output& out) {
  const int64_t size = upsample_size(outputs, channels) / 4;
  for (int phase = 0; phase < 4; ++phase) {
    const int64_t dy = phase / 2, dx = phase % 2;
    Source source{x,
                  images,
                  width * channels,
                  height * width * channels,
                  channels,
                  channels,
                  forward_axis(height, 2, 1, 1 - dy, height),
                  forward_axis(width, 2, 1, 1 - dx, width)};
    Right right{4, channels, outputs, nullptr, 0, 0, 0};
    right.packed = phases + phase * size;
    multiply(ConvLeft(std::move(source), {4 * height * width, 4 * width, 2, dy * 2 * width + dx}), right, out);
  }
}

}  // namespace motley::kernels
