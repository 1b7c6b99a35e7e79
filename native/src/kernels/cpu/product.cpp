// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/product.h"

#include <algorithm>
#include <cstring>

#include "kernels/cpu/isa.h"
#include "kernels/cpu/scratch.h"
#include "libtorch/parallel.h"

namespace motley::kernels {

MOTLEY_CHOOSE(gemm, GemmKernels)

namespace {

constexpr int64_t kGroupPanels = 4;   // panels packed side by side, whose partial sums are kept in L2
constexpr int64_t kSerial = 1 << 16;  // multiply-adds below which threads cost more than they save
constexpr int64_t kPart = 1 << 20;    // multiply-adds of a part, where there are enough for all threads

// Tiles that reuse a panel while it is in L1; more where it is packed for them.
int64_t chunk_tiles(const Right& right) { return right.packed != nullptr ? 32 : 96; }

// Packs panels [begin, end) of a depth block, only taps that are in use (null: all); depth index k of panel p goes to
// `to` + (p - begin) * to_stride + k * panel.
void pack_block(const GemmKernels& kernels, const Right& right, const DepthBlock& block, const uint8_t* used, int64_t begin, int64_t end,
                float* to, int64_t to_stride) {
  const int64_t depth = block.channel_end - block.channel_begin, column = begin * kernels.panel;
  const auto width = static_cast<int>(std::min(end * kernels.panel, right.columns) - column);
  for (int64_t tap = block.tap_begin; tap < block.tap_end; ++tap) {
    if (used != nullptr && !used[tap - block.tap_begin]) continue;
    const float* from = right.data + tap * right.tap_stride + block.channel_begin * right.channel_stride + column * right.column_stride;
    float* place = to + (tap * right.channels + block.channel_begin) * kernels.panel;
    if (right.column_stride == 1) {
      kernels.pack_rows(from, right.channel_stride, depth, width, place, to_stride);
      continue;
    }
    for (int j = 0; j < width; j += kernels.panel, place += to_stride) {
      kernels.pack_columns(from + j * right.column_stride, right.column_stride, depth, std::min(kernels.panel, width - j), place);
    }
  }
}

// What one thread does: tiles [tile_begin, tile_end) x panels [panel_begin, panel_end).
class Worker {
 public:
  Worker(const Left& left, const Right& right, const Output& out)
      : kernels_(gemm_kernels()), left_(left), right_(right), out_(out), blocks_(depth_blocks(right.taps, right.channels)) {
    for (const DepthBlock& b : blocks_) {
      most_taps_ = std::max(most_taps_, b.tap_end - b.tap_begin);
      most_depth_ = std::max(most_depth_, (b.tap_end - b.tap_begin) * (b.channel_end - b.channel_begin));
    }
  }

  void run(int64_t tile_begin, int64_t tile_end, int64_t panel_begin, int64_t panel_end) {
    const int64_t chunks = up(tile_end - tile_begin, chunk_tiles(right_)), chunk = up(tile_end - tile_begin, chunks);
    const int64_t group = std::min(panel_end - panel_begin, kGroupPanels);
    const int64_t tile_size = kernels_.tile_rows * kernels_.panel;
    tiles_.resize(static_cast<size_t>(chunk));
    runs_.resize(static_cast<size_t>(chunk * most_taps_));
    ends_.resize(static_cast<size_t>(chunk));
    used_.resize(static_cast<size_t>(most_taps_));
    if (blocks_.size() > 1) sums_ = Scratch(chunk * tile_size * group);
    if (right_.packed == nullptr)
      panels_ = Scratch(right_.frozen ? Panels::block_floats(most_depth_) : most_depth_ * kernels_.panel * group);
    for (int64_t t = tile_begin; t < tile_end; t += chunk) {
      const int64_t count = std::min(chunk, tile_end - t);
      left_.describe(t, t + count, right_.columns, tiles_.data());
      for (int64_t p = panel_begin; p < panel_end; p += group) {
        run_chunk(t, count, p, std::min(p + group, panel_end));
      }
    }
  }

 private:
  void run_chunk(int64_t tile, int64_t count, int64_t panel_begin, int64_t panel_end) {
    const int64_t tile_size = kernels_.tile_rows * kernels_.panel;
    for (size_t i = 0; i < blocks_.size(); ++i) {
      const DepthBlock& block = blocks_[i];
      const bool first = i == 0, last = i + 1 == blocks_.size();
      const int64_t begin = block.tap_begin * right_.channels + block.channel_begin;
      const int64_t end = (block.tap_end - 1) * right_.channels + block.channel_end;
      left_.runs(tile, tile + count, block, runs_.data(), ends_.data());
      const int64_t panel_size = kernels_.panel * (right_.packed ? right_.taps * right_.channels : most_depth_);
      const float* panels = right_.packed   ? right_.packed + panel_begin * panel_size
                            : right_.frozen ? nullptr
                                            : packed(block, count, panel_begin, panel_end, panel_size);
      for (int64_t p = panel_begin; p < panel_end; ++p) {
        const int64_t column = p * kernels_.panel;
        const int width = static_cast<int>(std::min<int64_t>(kernels_.panel, right_.columns - column));
        float* sums = blocks_.size() > 1 ? sums_.data() + (p - panel_begin) * count * tile_size : nullptr;
        const float* panel = panels ? panels + (p - panel_begin) * panel_size : right_.frozen->block(p, begin, end, panels_.data());
        kernels_.multiply(tiles_.data(), count, runs_.data(), ends_.data(),
                          {panel, first, last, sums, column, width, right_.columns, &out_});
      }
    }
  }

  void mark_used(const DepthBlock& block, int64_t count) {
    std::fill(used_.begin(), used_.end(), uint8_t{0});
    const int32_t total = ends_[static_cast<size_t>(count - 1)];
    for (int32_t i = 0; i < total; ++i) {
      const Run& run = runs_[static_cast<size_t>(i)];
      const int64_t from = run.k / right_.channels, to = (run.k + run.length - 1) / right_.channels;
      for (int64_t tap = from; tap <= to; ++tap) used_[static_cast<size_t>(tap - block.tap_begin)] = 1;
    }
  }

  // where depth index 0 of the first panel would lie
  const float* packed(const DepthBlock& block, int64_t count, int64_t begin, int64_t end, int64_t panel_size) {
    mark_used(block, count);
    float* base = panels_.data() - (block.tap_begin * right_.channels + block.channel_begin) * kernels_.panel;
    pack_block(kernels_, right_, block, used_.data(), begin, end, base, panel_size);
    return base;
  }

  const GemmKernels& kernels_;
  const Left& left_;
  const Right& right_;
  const Output& out_;
  const std::vector<DepthBlock> blocks_;
  int64_t most_taps_ = 0, most_depth_ = 0;
  std::vector<Tile> tiles_;
  std::vector<Run> runs_;
  std::vector<int32_t> ends_;
  std::vector<uint8_t> used_;
  Scratch sums_, panels_;
};

}  // namespace

std::vector<DepthBlock> depth_blocks(int64_t taps, int64_t channels, int64_t most) {
  std::vector<DepthBlock> blocks;
  if (channels >= most) {
    const int64_t parts = up(channels, most), part = up(up(channels, parts), 8) * 8;
    for (int64_t tap = 0; tap < taps; ++tap) {
      for (int64_t c = 0; c < channels; c += part) blocks.push_back({tap, tap + 1, c, std::min(c + part, channels)});
    }
    return blocks;
  }
  const int64_t parts = up(taps, most / channels), part = up(taps, parts);
  for (int64_t tap = 0; tap < taps; tap += part) blocks.push_back({tap, std::min(tap + part, taps), 0, channels});
  return blocks;
}

int64_t packed_size(const Right& right) {
  const int64_t panel = gemm_kernels().panel;
  return up(right.columns, panel) * panel * right.taps * right.channels;
}

void pack(const Right& right, float* packed) {
  const GemmKernels& kernels = gemm_kernels();
  const int64_t size = right.taps * right.channels * kernels.panel;
  parallel_for(up(right.columns, kernels.panel), 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      pack_block(kernels, right, {0, right.taps, 0, right.channels}, nullptr, p, p + 1, packed + p * size, 0);
    }
  });
}

DenseLeft::DenseLeft(const float* data, int64_t rows, int64_t depth, int64_t rows_per_image)
    : tile_rows_(gemm_kernels().tile_rows), data_(data), rows_(rows), depth_(depth), rows_per_image_(rows_per_image) {}

int64_t DenseLeft::tiles() const { return up(rows_, tile_rows_); }

void DenseLeft::describe(int64_t begin, int64_t end, int64_t columns, Tile* tiles) const {
  for (int64_t t = begin; t < end; ++t, ++tiles) {
    tiles->rows = static_cast<int32_t>(std::min<int64_t>(tile_rows_, rows_ - t * tile_rows_));
    for (int r = 0; r < tiles->rows; ++r) {
      const int64_t row = t * tile_rows_ + r;
      tiles->out[r] = row * columns;
      tiles->image[r] = static_cast<int32_t>(row / rows_per_image_);
    }
  }
}

void DenseLeft::runs(int64_t begin, int64_t end, const DepthBlock& block, Run* runs, int32_t* ends) const {
  for (int64_t t = begin; t < end; ++t, ++runs) {
    runs->k = static_cast<int32_t>(block.channel_begin);
    runs->length = static_cast<int32_t>(block.channel_end - block.channel_begin);
    const int64_t rows = std::min<int64_t>(tile_rows_, rows_ - t * tile_rows_);
    for (int64_t r = 0; r < rows; ++r) runs->row[r] = data_ + (t * tile_rows_ + r) * depth_ + block.channel_begin;
    ends[t - begin] = static_cast<int32_t>(t - begin + 1);
  }
}

Split choose_split(int64_t tiles, int64_t panels, int64_t parts, double tile_cost, double panel_cost, int64_t chunk) {
  Split best{1, 1};
  double least = 1e300;
  for (int64_t panel_parts = 1; panel_parts <= std::min(panels, parts); ++panel_parts) {
    const int64_t tile_parts = std::min(tiles, parts / panel_parts);
    const int64_t part_tiles = up(tiles, tile_parts);
    const auto t = static_cast<double>(part_tiles), p = static_cast<double>(up(panels, panel_parts));
    const double cost = t * p + t * tile_cost + p * panel_cost * static_cast<double>(up(part_tiles, chunk));
    if (cost < least) {
      least = cost;
      best = {tile_parts, panel_parts};
    }
  }
  return best;
}

int64_t parts_of(int64_t multiply_adds, int64_t each) {
  const int64_t threads = parallel_threads();
  if (threads == 1 || multiply_adds < kSerial) return 1;
  return threads * std::clamp<int64_t>(multiply_adds / (threads * kPart), 1, each);
}

void multiply(const Left& left, const Right& right, const Output& out) {
  const GemmKernels& kernels = gemm_kernels();
  const int64_t tiles = left.tiles(), panels = up(right.columns, kernels.panel);
  const int64_t work = tiles * kernels.tile_rows * right.taps * right.channels * right.columns;
  const double packing = right.packed != nullptr ? 0.02 : 0.5;  // half a tile's product where the panel is read across
  const Split split = choose_split(tiles, panels, parts_of(work), 0.05, packing, chunk_tiles(right));
  parallel_for(split.tile_parts * split.panel_parts, 1, [&](int64_t begin, int64_t end) {
    Worker worker(left, right, out);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t t = i / split.panel_parts, p = i % split.panel_parts;
      worker.run(t * tiles / split.tile_parts, (t + 1) * tiles / split.tile_parts, p * panels / split.panel_parts,
                 (p + 1) * panels / split.panel_parts);
    }
  });
}

void sum_rows(const float* x, int64_t rows, int64_t columns, float* out) {
  const GemmKernels& kernels = gemm_kernels();
  const int64_t panels = up(columns, kernels.panel), grain = std::max<int64_t>(1, kSerial / (rows * kernels.panel + 1));
  parallel_for(panels, grain, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      const int64_t column = p * kernels.panel;
      const int width = static_cast<int>(std::min<int64_t>(kernels.panel, columns - column));
      kernels.sum_rows(x + column, rows, columns, width, out + column);
    }
  });
}

}  // namespace motley::kernels
