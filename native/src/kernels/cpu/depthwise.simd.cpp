// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/depthwise.h"

#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/vec.h"

namespace motley::kernels::MOTLEY_ISA {
namespace {

inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

#define MOTLEY_INLINE inline __attribute__((always_inline))

// body.template operator()<i>() for i from kFirst to kEnd. (GCC does not unroll a loop that has another within, and an array that is
// indexed at run time does not stay in registers.)
template <int kFirst, int kEnd, typename Body>
MOTLEY_INLINE void each(const Body& body) {
  if constexpr (kFirst < kEnd) {
    body.template operator()<kFirst>();
    each<kFirst + 1, kEnd>(body);
  }
}

// Once, not within every block: its code is many times that of a block.
__attribute__((noinline)) Vec activated(Activation activation, Vec x) {
  with_activation(activation, [&]<Activation kActivation>() { x = activate<kActivation>(x); });
  return x;
}

// kOutputs outputs from `first` on, kVectors vectors of channels from c on (n channels of the only one unless kWhole), the kernel's rows
// [low, high). An output's sum goes by columns, then rows: the same order in whatever block it lies.
template <int kColumns, int kStride, int kOutputs, int kVectors, bool kWhole, typename T>
MOTLEY_INLINE void block(const DepthwiseRow<T>& r, int64_t low, int64_t high, int64_t first, int64_t c, int64_t n) {
  const int64_t left = r.left + first * kStride, pitch = r.width * r.channels, block_pitch = r.rows * kColumns * kLanes;
  const T* in = r.in + (r.top + low) * pitch + left * r.channels + c;
  const float* weights = r.weights + c / kLanes * block_pitch + low * kColumns * kLanes;
  Vec sums[kOutputs * kVectors] = {};
  each<0, (kOutputs - 1) * kStride + kColumns>([&]<int p>() __attribute__((always_inline)) {
    if (left + p < 0 || left + p >= r.width) return;
    const T* x = in + p * r.channels;
    const float* row = weights;
    for (int64_t k = low; k < high; ++k, x += pitch, row += kColumns * kLanes) {
      each<0, kVectors>([&]<int v>() __attribute__((always_inline)) {
        const Vec value = get<kWhole>(x + v * kLanes, n);
        each<0, kOutputs>([&]<int o>() __attribute__((always_inline)) {
          constexpr int tap = p - o * kStride;
          if constexpr (tap >= 0 && tap < kColumns) multiply_add(value, load(row + v * block_pitch + tap * kLanes), sums[o * kVectors + v]);
        });
      });
    }
  });
  each<0, kOutputs>([&]<int o>() __attribute__((always_inline)) {
    each<0, kVectors>([&]<int v>() __attribute__((always_inline)) {
      T* out = r.out + (first + o) * r.step * r.channels + c + v * kLanes;
      Vec y = sums[o * kVectors + v];
      if (r.bias) y += get<kWhole>(r.bias + c + v * kLanes, n);
      if (r.add) y += get<kWhole>(out, n);
      if (r.activation != Activation::none) y = activated(r.activation, y);
      put<kWhole>(out, y, n);
    });
  });
}

// All outputs of the row, kVectors vectors of channels.
template <int kColumns, int kStride, int kVectors, bool kWhole, typename T>
inline void outputs(const DepthwiseRow<T>& r, int64_t low, int64_t high, int64_t c, int64_t n) {
  int64_t o = 0;
  if constexpr (kVectors <= 2) {
    for (; o + 4 <= r.count; o += 4) block<kColumns, kStride, 4, kVectors, kWhole>(r, low, high, o, c, n);
  }
  for (; o + 2 <= r.count; o += 2) block<kColumns, kStride, 2, kVectors, kWhole>(r, low, high, o, c, n);
  if (o < r.count) block<kColumns, kStride, 1, kVectors, kWhole>(r, low, high, o, c, n);
}

// As many sums at a time as hide the latency of an addition: eight, of four outputs or of four vectors of channels.
template <int kColumns, int kStride, typename T>
void row_of(const DepthwiseRow<T>& r) {
  const int64_t low = most(0, -r.top), high = most(low, least(r.rows, r.height - r.top));
  int64_t c = 0;
  if (r.count < 4) {
    for (; c + 4 * kLanes <= r.channels; c += 4 * kLanes) outputs<kColumns, kStride, 4, true>(r, low, high, c, kLanes);
  }
  for (; c + 2 * kLanes <= r.channels; c += 2 * kLanes) outputs<kColumns, kStride, 2, true>(r, low, high, c, kLanes);
  for (; c + kLanes <= r.channels; c += kLanes) outputs<kColumns, kStride, 1, true>(r, low, high, c, kLanes);
  if (c < r.channels) outputs<kColumns, kStride, 1, false>(r, low, high, c, r.channels - c);
}

template <typename T>
void row(const DepthwiseRow<T>& r) {
  const bool skips = r.stride == 2 && r.count > 1;  // one output has no stride
  switch (r.columns) {
    case 1: return row_of<1, 1>(r);
    case 2: return row_of<2, 1>(r);  // of an input gradient at stride 2
    case 3: return skips ? row_of<3, 2>(r) : row_of<3, 1>(r);
    case 5: return skips ? row_of<5, 2>(r) : row_of<5, 1>(r);
    default: return row_of<7, 1>(r);
  }
}

inline void add_to(double* total, Vec v) { *reinterpret_cast<DVec*>(total) += __builtin_convertvector(v, DVec); }

// Pixels whose products are summed in float32 before they go to float64.
constexpr int64_t kRun = 64;

// A piece of the sum: some images, some rows of their results, one row of the kernel.
struct Piece {
  int64_t image, images, row, rows, kernel_row;
};

template <int kColumns, int kStride, int kOutputs, int kVectors, bool kWhole, typename T>
MOTLEY_INLINE void multiply(const T* x, const T* dy, int64_t left, int64_t width, int64_t channels, int64_t n,
                            Vec (&sums)[kColumns * kVectors]) {
  Vec d[kOutputs * kVectors];
  each<0, kOutputs>([&]<int o>() __attribute__((always_inline)) {
    each<0, kVectors>([&]<int v>()
                          __attribute__((always_inline)) { d[o * kVectors + v] = get<kWhole>(dy + o * channels + v * kLanes, n); });
  });
  each<0, (kOutputs - 1) * kStride + kColumns>([&]<int p>() __attribute__((always_inline)) {
    if (left + p < 0 || left + p >= width) return;
    each<0, kVectors>([&]<int v>() __attribute__((always_inline)) {
      const Vec value = get<kWhole>(x + p * channels + v * kLanes, n);
      each<0, kOutputs>([&]<int o>() __attribute__((always_inline)) {
        constexpr int tap = p - o * kStride;
        if constexpr (tap >= 0 && tap < kColumns) multiply_add(value, d[o * kVectors + v], sums[tap * kVectors + v]);
      });
    });
  });
}

template <int kColumns, int kStride, int kVectors, bool kWhole, typename T>
inline void piece_of(const DepthwiseProducts<T>& g, const Piece& piece, int64_t c, int64_t n) {
  const int64_t from = piece.kernel_row - g.rows / 2;  // row o of the result meets row o * stride + from of the image
  const int64_t low = most(piece.row, from < 0 ? (-from + g.stride - 1) / g.stride : 0);
  const int64_t high = least(piece.row + piece.rows, g.height > from ? (g.height - 1 - from) / g.stride + 1 : 0);
  Vec sums[kColumns * kVectors] = {};
  for (int64_t i = piece.image; i < piece.image + piece.images; ++i) {
    for (int64_t o = low; o < high; ++o) {
      const T* x = g.x + (i * g.height + o * g.stride + from) * g.width * g.channels + c;
      const T* dy = g.dy + (i * g.out_height + o) * g.out_width * g.channels + c;
      int64_t k = 0;
      const auto at = [&]<int kOutputs>() __attribute__((always_inline)) {
        const int64_t left = k * kStride - kColumns / 2;
        multiply<kColumns, kStride, kOutputs, kVectors, kWhole>(x + left * g.channels, dy + k * g.channels, left, g.width, g.channels, n,
                                                                sums);
        k += kOutputs;
      };
      while (k + 4 <= g.out_width) at.template operator()<4>();
      if (k + 2 <= g.out_width) at.template operator()<2>();
      if (k < g.out_width) at.template operator()<1>();
    }
  }
  each<0, kVectors>([&]<int v>() __attribute__((always_inline)) {
    double* to = g.sums + ((c / kLanes + v) * g.rows + piece.kernel_row) * kColumns * kLanes;
    each<0, kColumns>([&]<int tap>() __attribute__((always_inline)) { add_to(to + tap * kLanes, sums[tap * kVectors + v]); });
  });
}

template <int kColumns, int kStride, typename T>
void products_of(const DepthwiseProducts<T>& g) {
  constexpr int kVectors = kColumns == 1 ? 4 : kColumns == 3 ? 2 : 1;  // as many sums as there are registers for
  const int64_t band = least(g.out_height, most(1, kRun / g.out_width));
  const int64_t group = band < g.out_height ? 1 : most(1, kRun / (g.out_height * g.out_width));
  for (int64_t image = 0; image < g.images; image += group) {
    for (int64_t first = 0; first < g.out_height; first += band) {
      for (int64_t k = 0; k < g.rows; ++k) {
        const Piece piece{image, least(group, g.images - image), first, least(band, g.out_height - first), k};
        int64_t c = 0;
        for (; c + kVectors * kLanes <= g.channels; c += kVectors * kLanes)
          piece_of<kColumns, kStride, kVectors, true>(g, piece, c, kLanes);
        if constexpr (kVectors > 1) {
          for (; c + kLanes <= g.channels; c += kLanes) piece_of<kColumns, kStride, 1, true>(g, piece, c, kLanes);
        }
        if (c < g.channels) piece_of<kColumns, kStride, 1, false>(g, piece, c, g.channels - c);
      }
    }
  }
}

template <typename T>
void products(const DepthwiseProducts<T>& g) {
  const bool skips = g.stride == 2 && g.out_width > 1;
  switch (g.columns) {
    case 1: return products_of<1, 1>(g);
    case 3: return skips ? products_of<3, 2>(g) : products_of<3, 1>(g);
    case 5: return skips ? products_of<5, 2>(g) : products_of<5, 1>(g);
    default: return products_of<7, 1>(g);
  }
}

}  // namespace

const DepthwiseKernels& depthwise_kernels() {
  static constexpr DepthwiseKernels kernels{kLanes, {row<float>, products<float>}, {row<bf16>, products<bf16>}};
  return kernels;
}

#undef MOTLEY_INLINE

}  // namespace motley::kernels::MOTLEY_ISA
