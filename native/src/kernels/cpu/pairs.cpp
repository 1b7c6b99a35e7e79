// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/pairs.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <vector>

#include "kernels/cpu/isa.h"
#include "kernels/cpu/product.h"
#include "kernels/cpu/scratch.h"
#include "libtorch/parallel.h"

namespace motley::kernels {

MOTLEY_CHOOSE(pair, PairKernels)

namespace amx {
const PairUnit& pair_unit();
}
namespace avx512_bf16 {
const PairUnit& pair_unit();
}

namespace {

constexpr int64_t kWritten = 256 << 10;  // elements of the left matrix written out at a time: half a second-level cache of 1 MiB
constexpr int64_t kMostRows = 256;       // of a chunk, whose sums stay in that cache with them
constexpr int64_t kColumns = Panels::kPairColumns * PairUnit::kPanels;

std::atomic<const PairUnit*> chosen{nullptr};

// The rows of the left matrix: one for each pixel of the result, its kernel taps' channels side by side.
class PixelRows {
 public:
  PixelRows(const ConvShape& shape, const bf16* x, Placement placement) : s_(shape), x_(x), placement_(placement) {
    dense_ = s_.kernel_h == 1 && s_.kernel_w == 1 && s_.stride == 1 && s_.top == 0 && s_.left == 0 && s_.out_height == s_.height &&
             s_.out_width == s_.width;
  }

  int64_t count() const { return s_.images * s_.out_height * s_.out_width; }
  int64_t depth() const { return s_.kernel_h * s_.kernel_w * s_.channels; }

  /// Rows from `first` on as they lie in memory, or null where they have to be written out.
  const bf16* in_place(int64_t first) const { return dense_ && s_.channels % PairUnit::kDepth == 0 ? x_ + first * s_.channels : nullptr; }

  /// A row: where its taps begin in the image, and where it goes in the result.
  struct Row {
    const bf16* image;  // the first pixel of its image
    int64_t y, x;       // of its first tap, in the padding where negative
  };
  void describe(int64_t first, int64_t count, int64_t columns, Row* rows, int64_t* out, int32_t* image) const {
    const int64_t area = s_.out_height * s_.out_width;
    int64_t n = first / area, y = first % area / s_.out_width, x = first % s_.out_width;
    for (int64_t r = 0; r < count; ++r) {
      rows[r] = {x_ + n * s_.height * s_.width * s_.channels, y * s_.stride - s_.top, x * s_.stride - s_.left};
      out[r] = columns * (n * placement_.pixels + y * placement_.row + x * placement_.column + placement_.offset);
      image[r] = static_cast<int32_t>(n);
      if (++x == s_.out_width) x = 0, ++y;
      if (y == s_.out_height) y = 0, ++n;
    }
  }

  /// Depth indices [begin, end) of `count` rows; zeros beyond the depth.
  void write(const Row* rows, int64_t count, int64_t begin, int64_t end, bf16* to, int64_t stride) const {
    const int64_t known = std::min(end, depth());
    for (int64_t k = begin; k < known;) {  // what a tap has of this part of the depth, for all rows
      const int64_t tap = k / s_.channels, channel = k % s_.channels, length = std::min(s_.channels - channel, known - k);
      const int64_t down = tap / s_.kernel_w, across = tap % s_.kernel_w;
      const auto bytes = static_cast<size_t>(length) * sizeof(bf16);
      bf16* place = to + (k - begin);
      for (int64_t r = 0; r < count; ++r, place += stride) {
        const int64_t y = rows[r].y + down, x = rows[r].x + across;
        if (y >= 0 && y < s_.height && x >= 0 && x < s_.width) {
          std::memcpy(place, rows[r].image + (y * s_.width + x) * s_.channels + channel, bytes);
        } else {
          std::memset(place, 0, bytes);
        }
      }
      k += length;
    }
    for (int64_t r = 0; r < count && end > known; ++r) {
      std::memset(to + r * stride + (known - begin), 0, static_cast<size_t>(end - known) * sizeof(bf16));
    }
  }

 private:
  const ConvShape s_;
  const bf16* x_;
  const Placement placement_;
  bool dense_;
};

// What one thread does: rows [row_begin, row_end) x pairs of panels [begin, end).
class Worker {
 public:
  Worker(const PairUnit& unit, const PixelRows& rows, const Panels& w, const PairOutput& out)
      : unit_(unit),
        rows_(rows),
        w_(w),
        out_(out),
        depth_(whole(w.depth(), PairUnit::kDepth)),
        block_(std::min<int64_t>(depth_, unit.depth_block)),
        chunk_(chunk_rows(unit, depth_)) {
    described_.resize(static_cast<size_t>(chunk_));
    places_.resize(static_cast<size_t>(chunk_));
    images_.resize(static_cast<size_t>(chunk_));
    unit_.begin();
  }
  ~Worker() { unit_.end(); }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void run(int64_t row_begin, int64_t row_end, int64_t begin, int64_t end) {
    sums_ = Scratch(chunk_ * kColumns * (block_ < depth_ ? end - begin : 1));
    for (int64_t r = row_begin; r < row_end; r += chunk_) {
      const int64_t count = std::min(chunk_, row_end - r);
      rows_.describe(r, count, w_.columns(), described_.data(), places_.data(), images_.data());
      for (int64_t k = 0; k < depth_; k += block_) run_block(r, count, k, std::min(k + block_, depth_), begin, end);
    }
  }

  /// Rows that are written out and multiplied together.
  static int64_t chunk_rows(const PairUnit& unit, int64_t depth) {
    const int64_t rows = std::min(kMostRows, kWritten / std::min<int64_t>(depth, unit.depth_block));
    return std::max<int64_t>(1, rows / unit.rows) * unit.rows;
  }

 private:
  void run_block(int64_t row, int64_t count, int64_t k_begin, int64_t k_end, int64_t begin, int64_t end) {
    const bf16* a = rows_.in_place(row);
    int64_t stride = w_.depth();
    if (a != nullptr && count % unit_.grain == 0) {
      a += k_begin;
    } else {
      stride = k_end - k_begin + PairUnit::kDepth;  // not a power of two: rows would share few sets of the first-level cache
      if (!written_.data()) written_ = Scratch(up(chunk_ * (block_ + PairUnit::kDepth), 2));
      auto* to = reinterpret_cast<bf16*>(written_.data());
      rows_.write(described_.data(), count, k_begin, k_end, to, stride);
      const int64_t spare = whole(count, unit_.grain) - count;  // read, not wanted
      std::memset(to + count * stride, 0, static_cast<size_t>(spare * stride) * sizeof(bf16));
      a = to;
    }
    for (int64_t p = begin; p < end; ++p) {
      const int64_t column = p * kColumns, width = std::min(kColumns, w_.columns() - column);
      const bf16* panels[PairUnit::kPanels] = {};
      const int panel_count = width > Panels::kPairColumns ? 2 : 1;
      for (int i = 0; i < panel_count; ++i) panels[i] = w_.pairs(p * PairUnit::kPanels + i) + k_begin * Panels::kPairColumns;
      float* sums = sums_.data() + (block_ < depth_ ? (p - begin) * chunk_ * kColumns : 0);
      for (int64_t t = 0; t < count; t += unit_.rows) {
        const int64_t wanted = std::min<int64_t>(unit_.rows, count - t), rows = whole(wanted, unit_.grain);
        float* tile = sums + t * kColumns;
        unit_.multiply(a + t * stride, stride, static_cast<int>(rows), panels, panel_count, k_end - k_begin, tile, kColumns, k_begin > 0);
        if (k_end < depth_) continue;
        pair_kernels().finish({tile, kColumns, wanted, places_.data() + t, images_.data() + t, column, width, w_.columns()}, out_);
      }
    }
  }

  const PairUnit& unit_;
  const PixelRows& rows_;
  const Panels& w_;
  const PairOutput& out_;
  const int64_t depth_, block_, chunk_;
  std::vector<PixelRows::Row> described_;
  std::vector<int64_t> places_;
  std::vector<int32_t> images_;
  Scratch sums_, written_;
};

void multiply(const PixelRows& rows, const Panels& w, const PairOutput& out) {
  const PairUnit& unit = *pair_unit();
  const int64_t tiles = up(rows.count(), unit.rows), panels = up(w.columns(), kColumns), depth = whole(w.depth(), PairUnit::kDepth);
  // Against a tile's product with a pair of panels on AMX: writing out its rows is about that work, reading panels from memory too.
  const double tile_cost = rows.in_place(0) ? 0.05 : 1.0, panel_cost = 1.0;
  const Split split = choose_split(tiles, panels, parts_of(rows.count() * w.depth() * w.columns()), tile_cost, panel_cost,
                                   Worker::chunk_rows(unit, depth) / unit.rows);
  parallel_for(split.tile_parts * split.panel_parts, 1, [&](int64_t begin, int64_t end) {
    Worker worker(unit, rows, w, out);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t t = i / split.panel_parts, p = i % split.panel_parts;
      worker.run(t * tiles / split.tile_parts * unit.rows, std::min((t + 1) * tiles / split.tile_parts * unit.rows, rows.count()),
                 p * panels / split.panel_parts, (p + 1) * panels / split.panel_parts);
    }
  });
}

}  // namespace

void use_pair_unit(const PairUnit* unit) { chosen = unit; }

const PairUnit* pair_unit() {
  if (const PairUnit* unit = chosen.load(std::memory_order_relaxed)) return unit;
  switch (isa()) {
    case Isa::amx: return &amx::pair_unit();
    case Isa::avx512_bf16: return &avx512_bf16::pair_unit();
    default: return nullptr;
  }
}

void pair_conv(const ConvShape& s, const bf16* x, const Panels& w, const PairOutput& out) {
  multiply(PixelRows(s, x, {s.out_height * s.out_width, s.out_width, 1, 0}), w, out);
}

void pair_upsample_weights(const Panels& w, Panels* phases) {
  const int64_t channels = w.depth() / 9, outputs = w.columns(), wide = gemm_kernels().panel, panels = up(outputs, wide);
  const Scratch sums(upsample_size(outputs, channels));
  upsample_weights(w, sums.data());
  for (int64_t phase = 0; phase < 4; ++phase) {
    phases[phase] = Panels(Panels::Type::bf16, 4 * channels, outputs);
    for (int64_t p = 0; p < panels; ++p) {
      const float* from = sums.data() + (phase * panels + p) * 4 * channels * wide;
      phases[phase].fill(p * wide, Elements<float>{from, 1, 4 * channels, std::min(wide, outputs - p * wide), 0, wide, 1});
    }
  }
}

void pair_upsample_conv(int64_t images, int64_t height, int64_t width, int64_t channels, int64_t outputs, const bf16* x,
                        const Panels* phases, const PairOutput& out) {
  for (int64_t phase = 0; phase < 4; ++phase) {
    const int64_t dy = phase / 2, dx = phase % 2;
    const ConvShape s{images, height, width, channels, outputs, 2, 2, 1, 1 - dy, 1 - dx, height, width};
    multiply(PixelRows(s, x, {4 * height * width, 4 * width, 2, dy * 2 * width + dx}), phases[phase], out);
  }
}

}  // namespace motley::kernels
