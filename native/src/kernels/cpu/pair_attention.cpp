// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/pair_attention.h"

#include <algorithm>
#include <cstring>

#include "kernels/cpu/isa.h"
#include "kernels/cpu/product.h"

namespace motley::kernels {

MOTLEY_CHOOSE(pair_attention, PairAttentionKernels)

namespace {

constexpr int64_t kWide = Panels::kPairColumns, kPairDepth = PairUnit::kDepth;
constexpr int64_t kRows = 32;   // queries at once, at most: their scores of a tile of keys lie in the first-level cache
constexpr int64_t kKeys = 256;  // of a tile
static_assert(kKeys % (kWide * PairUnit::kPanels) == 0 && kKeys % kPairDepth == 0);

int64_t floats_of(int64_t elements) { return up(elements, 2); }

}  // namespace

int64_t pair_keys_size(int64_t keys, int64_t head) { return whole(keys, kWide) * whole(head, kPairDepth); }
int64_t pair_values_size(int64_t keys, int64_t head) { return whole(keys, kPairDepth) * whole(head, kWide); }

void pack_pair_keys(const bf16* k, int64_t stride, int64_t keys, int64_t head, bf16* to) {
  const int64_t depth = whole(head, kPairDepth);
  std::memset(to, 0, static_cast<size_t>(pair_keys_size(keys, head)) * sizeof(bf16));
  for (int64_t j = 0; j < keys; ++j) {
    bf16* column = to + j / kWide * kWide * depth + 2 * (j % kWide);
    const bf16* row = k + j * stride;
    int64_t c = 0;
    for (; c + 2 <= head; c += 2) std::memcpy(column + c * kWide, row + c, 2 * sizeof(bf16));
    if (c < head) column[c * kWide] = row[c];
  }
}

void pack_pair_values(const bf16* v, int64_t stride, int64_t keys, int64_t head, bf16* to) {
  const int64_t depth = whole(keys, kPairDepth);
  std::memset(to, 0, static_cast<size_t>(pair_values_size(keys, head)) * sizeof(bf16));
  for (int64_t j = 0; j < keys; ++j) {
    const bf16* row = v + j * stride;
    for (int64_t c = 0; c < head; c += kWide) {
      bf16* pair = to + c * depth + j / 2 * 2 * kWide + j % 2;
      for (int64_t i = 0; i < std::min(kWide, head - c); ++i) pair[2 * i] = row[c + i];
    }
  }
}

PairAttention::PairAttention(int64_t head)
    : unit_(*pair_unit()),
      rows_(std::max<int64_t>(1, kRows / unit_.rows) * unit_.rows),
      depth_(whole(head, kPairDepth)),
      columns_(whole(head, kWide * PairUnit::kPanels)),
      scores_(rows_ * kKeys),
      weights_(floats_of(rows_ * kKeys)),
      queries_(floats_of(rows_ * depth_)),
      output_(rows_ * columns_),
      state_(2 * rows_) {
  unit_.begin();
}

PairAttention::~PairAttention() { unit_.end(); }

void PairAttention::run(const AttentionShape& shape, const bf16* q, const PairHead& head, bf16* out) {
  for (int64_t i = 0; i < shape.queries; i += rows_) run_rows(shape, i, std::min(rows_, shape.queries - i), q, head, out);
}

void PairAttention::run_rows(const AttentionShape& shape, int64_t first, int64_t rows, const bf16* q, const PairHead& head, bf16* out) {
  const PairAttentionKernels& kernels = pair_attention_kernels();
  auto* const queries = reinterpret_cast<bf16*>(queries_.data());
  auto* const weights = reinterpret_cast<bf16*>(weights_.data());
  float *const largest = state_.data(), *const total = largest + rows_;
  std::memset(queries, 0, static_cast<size_t>(rows_ * depth_) * sizeof(bf16));
  std::memset(weights, 0, static_cast<size_t>(rows_ * kKeys) * sizeof(bf16));
  for (int64_t r = 0; r < rows; ++r) {
    std::memcpy(queries + r * depth_, q + (first + r) * shape.q_stride, static_cast<size_t>(shape.head) * sizeof(bf16));
    largest[r] = kMasked;
    total[r] = 0;
  }
  const int64_t last = shape.causal ? std::min(shape.keys, shape.first_query + first + rows) : shape.keys;
  const int64_t columns = whole(shape.head, kWide), depth = whole(shape.keys, kPairDepth);
  // rows of a unit's call: those wanted, up to a whole grain of them
  const auto in_tiles = [&](const auto& multiply) {
    for (int64_t t = 0; t < rows; t += unit_.rows) {
      multiply(t, static_cast<int>(whole(std::min<int64_t>(unit_.rows, rows - t), unit_.grain)));
    }
  };
  for (int64_t key = 0; key < last; key += kKeys) {
    const int64_t n = std::min(kKeys, last - key), panels = up(n, kWide);
    for (int64_t p = 0; p < panels; p += PairUnit::kPanels) {
      const bf16* at = head.keys + (key / kWide + p) * kWide * depth_;
      const bf16* const pair[PairUnit::kPanels] = {at, at + kWide * depth_};
      in_tiles([&](int64_t t, int count) {
        unit_.multiply(queries + t * depth_, depth_, count, pair, static_cast<int>(std::min<int64_t>(PairUnit::kPanels, panels - p)),
                       depth_, scores_.data() + t * kKeys + p * kWide, kKeys, false);
      });
    }
    int64_t seen[kRows];
    for (int64_t r = 0; r < rows; ++r) {
      seen[r] = shape.causal ? std::clamp<int64_t>(shape.first_query + first + r + 1 - key, 0, n) : n;
    }
    kernels.soften(scores_.data(), kKeys, rows, n, seen, shape.scale * kLog2E, largest, total, weights, key > 0 ? output_.data() : nullptr,
                   columns_);
    for (int64_t c = 0; c < columns; c += kWide * PairUnit::kPanels) {
      const bf16* at = head.values + c * depth + key * kWide;
      const bf16* const pair[PairUnit::kPanels] = {at, at + kWide * depth};
      in_tiles([&](int64_t t, int count) {
        unit_.multiply(weights + t * kKeys, kKeys, count, pair, columns - c > kWide ? 2 : 1, whole(n, kPairDepth),
                       output_.data() + t * columns_ + c, columns_, key > 0);
      });
    }
  }
  kernels.finish(output_.data(), columns_, total, rows, shape.head, out + first * shape.out_stride, shape.out_stride);
}

}  // namespace motley::kernels
