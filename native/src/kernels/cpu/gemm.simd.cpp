// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/gemm.h"

#include "kernels/cpu/epilogue.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace motley::kernels::MOTLEY_ISA {
namespace {

// The register tile: rows x 2 vectors of sums, 2 vectors of the panel, 1 broadcast. 6 x 2 fills the 16 registers of
// AVX2 (and SSE), 12 x 2 suits the 32 of AVX-512; both keep two multiply-add units of latency 4 busy.
#if defined(__AVX512F__)
constexpr int kRows = 12;
#else
constexpr int kRows = 6;
#endif
constexpr int kVectors = 2;
constexpr int kPanel = kVectors * kLanes;
static_assert(kRows <= kMaxTileRows);

inline Vec broadcast(const float* p) {
#if defined(__AVX512F__)
  return (Vec)_mm512_set1_ps(*p);
#elif defined(__AVX2__)
  return (Vec)_mm256_broadcast_ss(p);
#else
  return splat(*p);
#endif
}

// Stores the sums (rows, kPanel) of a tile, with all that Output may add.
void finish(const Tile& tile, const PanelStep& step, const float* sums) {
  with_activation(step.out->activation, [&]<Activation activation>() {
    for (int r = 0; r < tile.rows; ++r) {
      for (int j = 0; j < step.width; j += kLanes) {
        finish_vector<activation>(*step.out, tile.out[r], tile.image[r], step.column + j, step.columns, load(sums + r * kPanel + j),
                                  step.width - j);
      }
    }
  });
}

// Whole vectors, and nothing harder than a maximum: the common case, stored from registers.
inline bool stores_directly(const PanelStep& step) {
  return step.width == kPanel && (step.out->activation == Activation::none || step.out->activation == Activation::relu);
}

template <int R>
inline void store_sums(const Tile& tile, const PanelStep& step, const Vec (&sums)[R][kVectors]) {
  const Output& out = *step.out;
  float* const to = out.data + step.column;
  if (!out.bias && !out.per_image && !out.residual && out.activation == Activation::none) {
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      float* const row = to + tile.out[r];
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) store(row + v * kLanes, sums[r][v]);
    }
    return;
  }
  const float* const residual = out.residual ? out.residual + step.column : nullptr;
  const float* const per_image = out.per_image ? out.per_image + step.column : nullptr;
  const Vec least = splat(out.activation == Activation::relu ? 0.0f : -INFINITY);
  Vec bias[kVectors];
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) bias[v] = out.bias ? load(out.bias + step.column + v * kLanes) : Vec{};
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
    const int64_t place = tile.out[r];
    Vec y[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) y[v] = sums[r][v] + bias[v];
    if (per_image) {
      const float* const image = per_image + tile.image[r] * step.columns;
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) y[v] += load(image + v * kLanes);
    }
    if (residual) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) y[v] += load(residual + place + v * kLanes);
    }
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) store(to + place + v * kLanes, max(least, y[v]));  // in this order a NaN stays one
  }
}

// What will be written (and read first) is on its way while the sums are made.
template <int R>
inline void prefetch_output(const Tile& tile, const PanelStep& step) {
  const float* const to = step.out->data + step.column;
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) __builtin_prefetch(to + tile.out[r], 1);
  if (!step.out->residual) return;
  const float* const residual = step.out->residual + step.column;
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) __builtin_prefetch(residual + tile.out[r]);
}

// One tile by one panel: R rows, V vectors of columns. `sums`: the tile's.
template <int R, int V>
void tile_product(const Tile& tile, const Run* run, const Run* end, const PanelStep& step, float* sums) {
  Vec acc[R][V];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) acc[r][v] = Vec{};
  }
  if (step.last) prefetch_output<R>(tile, step);
  for (; run != end; ++run) {
    const float* row[R];
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) row[r] = run->row[r];
    const float* b = step.panel + static_cast<int64_t>(run->k) * kPanel;
    const int64_t length = run->length;
#pragma GCC unroll 8  // fewer instructions beside the multiply-adds
    for (int64_t k = 0; k < length; ++k) {
      Vec column[V];
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) column[v] = load(b + v * kLanes);
      b += kPanel;
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        const Vec x = broadcast(row[r] + k);
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) multiply_add(x, column[v], acc[r][v]);
      }
    }
  }
  if (!step.first) {
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) acc[r][v] = load(sums + r * kPanel + v * kLanes) + acc[r][v];
    }
  }
  if constexpr (V == kVectors) {
    if (step.last && stores_directly(step)) return store_sums(tile, step, acc);
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) store(sums + r * kPanel + v * kLanes, acc[r][v]);
  }
  if (step.last) finish(tile, step, sums);
}

using TileProduct = void (*)(const Tile&, const Run*, const Run*, const PanelStep&, float*);

template <int V>
TileProduct tile_product_of(int rows) {
  switch (rows) {
    case 1: return tile_product<1, V>;
    case 2: return tile_product<2, V>;
    case 3: return tile_product<3, V>;
    case 4: return tile_product<4, V>;
    case 5: return tile_product<5, V>;
#if defined(__AVX512F__)
    case 6: return tile_product<6, V>;
    case 7: return tile_product<7, V>;
    case 8: return tile_product<8, V>;
    case 9: return tile_product<9, V>;
    case 10: return tile_product<10, V>;
    case 11: return tile_product<11, V>;
#endif
    default: return tile_product<kRows, V>;
  }
}

void multiply(const Tile* tiles, int64_t count, const Run* runs, const int32_t* ends, const PanelStep& step) {
  const auto choose = step.width <= kLanes ? tile_product_of<1> : tile_product_of<kVectors>;
  const TileProduct full = choose(kRows);
  const bool whole = step.first && step.last;
  float own[kRows * kPanel];
  int32_t begin = 0;
  for (int64_t i = 0; i < count; ++i) {
    if (begin == ends[i] && !step.first && !step.last) continue;  // padding alone adds nothing
    const TileProduct product = tiles[i].rows == kRows ? full : choose(tiles[i].rows);
    product(tiles[i], runs + begin, runs + ends[i], step, whole ? own : step.sums + i * kRows * kPanel);
    begin = ends[i];
  }
}

// out (+)= sum of a[step]^T b[step], a packed by kRows: R of them are rows of out.
template <int R, int V>
void outer_tile(const float* a, const float* b, const Segment* segment, const Segment* end, int width, bool first, float* out,
                int64_t out_stride) {
  Vec acc[R][V];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) acc[r][v] = Vec{};
  }
  if (!first) {
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) __builtin_prefetch(out + r * out_stride, 1);
  }
  for (; segment != end; ++segment) {
    const float* ak = a + static_cast<int64_t>(segment->first) * kRows;
    const int64_t length = segment->length;
#pragma GCC unroll 8
    for (int64_t k = 0; k < length; ++k) {
      Vec column[V];
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) column[v] = load(b + v * kLanes);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        const Vec x = broadcast(ak + r);
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) multiply_add(x, column[v], acc[r][v]);
      }
      b += kPanel;
      ak += kRows;
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      float* to = out + r * out_stride + v * kLanes;
      const int left = width - v * kLanes;
      if (left >= kLanes) {
        store(to, first ? acc[r][v] : load(to) + acc[r][v]);
      } else if (left > 0) {
        store_part(to, first ? acc[r][v] : load_part(to, left) + acc[r][v], left);
      }
    }
  }
}

using OuterTile = void (*)(const float*, const float*, const Segment*, const Segment*, int, bool, float*, int64_t);

template <int V>
OuterTile outer_tile_of(int rows) {
  switch (rows) {
    case 1: return outer_tile<1, V>;
    case 2: return outer_tile<2, V>;
    case 3: return outer_tile<3, V>;
    case 4: return outer_tile<4, V>;
    case 5: return outer_tile<5, V>;
#if defined(__AVX512F__)
    case 6: return outer_tile<6, V>;
    case 7: return outer_tile<7, V>;
    case 8: return outer_tile<8, V>;
    case 9: return outer_tile<9, V>;
    case 10: return outer_tile<10, V>;
    case 11: return outer_tile<11, V>;
#endif
    default: return outer_tile<kRows, V>;
  }
}

void outer(const float* a, const float* b, const Segment* segments, int64_t count, int rows, int width, bool first, float* out,
           int64_t out_stride) {
  const OuterTile tile = width <= kLanes ? outer_tile_of<1>(rows) : outer_tile_of<kVectors>(rows);
  tile(a, b, segments, segments + count, width, first, out, out_stride);
}

// `width` of kWide floats, the rest 0
template <int kWide>
inline void copy_row(const float* from, int width, float* to) {
  if (width == kWide) {
    std::memcpy(to, from, kWide * sizeof(float));
  } else {
    for (int j = 0; j < kWide; ++j) to[j] = j < width ? from[j] : 0.0f;
  }
}

void pack_rows(const float* from, int64_t stride, int64_t depth, int width, float* to, int64_t to_stride) {
  for (int64_t k = 0; k < depth; ++k) {
    float* place = to + k * kPanel;
    for (int j = 0; j < width; j += kPanel, place += to_stride) {
      copy_row<kPanel>(from + k * stride + j, width - j < kPanel ? width - j : kPanel, place);
    }
  }
}

#if defined(__AVX2__)
// to[k * kPanel + j] = from[j * stride + k] for an 8 x 8 block
inline void transpose8(const float* from, int64_t stride, float* to) {
  __m256 r[8], s[8];
  for (int j = 0; j < 4; ++j) {  // halves of rows j and j + 4 side by side: only in-lane shuffles remain
    for (int h = 0; h < 2; ++h) {
      r[2 * j + h] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(from + j * stride + 4 * h)),
                                          _mm_loadu_ps(from + (j + 4) * stride + 4 * h), 1);
    }
  }
  for (int h = 0; h < 2; ++h) {
    s[4 * h + 0] = _mm256_unpacklo_ps(r[0 + h], r[2 + h]);
    s[4 * h + 1] = _mm256_unpackhi_ps(r[0 + h], r[2 + h]);
    s[4 * h + 2] = _mm256_unpacklo_ps(r[4 + h], r[6 + h]);
    s[4 * h + 3] = _mm256_unpackhi_ps(r[4 + h], r[6 + h]);
  }
  for (int h = 0; h < 2; ++h) {
    for (int g = 0; g < 2; ++g) {
      const __m256d low = _mm256_castps_pd(s[4 * h + g]), high = _mm256_castps_pd(s[4 * h + 2 + g]);
      _mm256_storeu_ps(to + (4 * h + 2 * g) * kPanel, _mm256_castpd_ps(_mm256_unpacklo_pd(low, high)));
      _mm256_storeu_ps(to + (4 * h + 2 * g + 1) * kPanel, _mm256_castpd_ps(_mm256_unpackhi_pd(low, high)));
    }
  }
}
#endif

void pack_columns(const float* from, int64_t stride, int64_t depth, int width, float* to) {
  int64_t k = 0;
#if defined(__AVX2__)
  if (width == kPanel) {
    for (; k + 8 <= depth; k += 8) {
      for (int j = 0; j < kPanel; j += 8) transpose8(from + j * stride + k, stride, to + k * kPanel + j);
    }
  }
#endif
  for (; k < depth; ++k) {
    for (int j = 0; j < kPanel; ++j) to[k * kPanel + j] = j < width ? from[j * stride + k] : 0.0f;
  }
}

// Rows of pixels lie too far apart for the processor to foresee: asked for while kAhead others are copied.
constexpr int64_t kAhead = 8;

inline void prefetch(const float* row, int width) {
  constexpr int kLine = 64 / sizeof(float);
  for (int j = 0; j < width; j += kLine) __builtin_prefetch(row + j);
}

void gather_panel(const float* const* rows, int64_t count, int64_t offset, int width, float* to) {
  for (int64_t k = 0; k < count; ++k) {
    if (k + kAhead < count) prefetch(rows[k + kAhead] + offset, width);
    copy_row<kPanel>(rows[k] + offset, width, to + k * kPanel);
  }
}

void gather_tiles(const float* const* rows, int64_t count, int64_t offset, int width, float* to, int64_t to_stride) {
  for (int64_t k = 0; k < count; ++k) {
    float* place = to + k * kRows;
    if (k + kAhead < count) prefetch(rows[k + kAhead] + offset, width);
    for (int j = 0; j < width; j += kRows, place += to_stride) {
      copy_row<kRows>(rows[k] + offset + j, width - j < kRows ? width - j : kRows, place);
    }
  }
}

void widen_pairs(const bf16* pairs, int64_t count, int columns, float* to) {
  constexpr int kStored = 16;
  for (int64_t i = 0; i < count; ++i, pairs += 2 * kStored, to += 2 * kPanel) {
    for (int j = 0; j < columns; j += kLanes) {
      UVec pair;
      std::memcpy(&pair, pairs + 2 * j, sizeof(UVec));
      store(to + j, (Vec)(pair << 16));
      store(to + kPanel + j, (Vec)(pair & 0xffff0000u));
    }
  }
}

void widen_halves(const half* halves, int64_t count, int columns, float* to) {
  constexpr int kStored = 16;
  for (int64_t i = 0; i < count; ++i, halves += kStored, to += kPanel) {
    for (int j = 0; j < columns; j += kLanes) store(to + j, load(halves + j));
  }
}

void sum_rows(const float* x, int64_t rows, int64_t stride, int width, float* out) {
  constexpr int64_t kBlock = 256;  // summed apart, so that the error grows with the square root of the blocks
  Vec acc[kVectors] = {};
  for (int64_t i = 0; i < rows; i += kBlock) {
    Vec block[kVectors] = {};
    for (int64_t k = i; k < rows && k < i + kBlock; ++k, x += stride) {
      for (int v = 0; v < kVectors; ++v) {
        const int left = width - v * kLanes;
        if (left >= kLanes) {
          block[v] += load(x + v * kLanes);
        } else if (left > 0) {
          block[v] += load_part(x + v * kLanes, left);
        }
      }
    }
    for (int v = 0; v < kVectors; ++v) acc[v] += block[v];
  }
  float buffer[kPanel];
  for (int v = 0; v < kVectors; ++v) store(buffer + v * kLanes, acc[v]);
  std::memcpy(out, buffer, static_cast<size_t>(width) * sizeof(float));
}

}  // namespace

const GemmKernels& gemm_kernels() {
  static constexpr GemmKernels kernels = {kRows,        kPanel,       multiply,    outer,        pack_rows, pack_columns,
                                          gather_panel, gather_tiles, widen_pairs, widen_halves, sum_rows};
  return kernels;
}

}  // namespace motley::kernels::MOTLEY_ISA
