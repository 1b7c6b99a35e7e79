// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/winograd.h"

#include "kernels/cpu/epilogue.h"

namespace motley::kernels::MOTLEY_ISA {
namespace {

// winograd.h's a and b: their powers and these sums and products are exact in float32.
constexpr double kA = 5.0 / 8, kB = 3.0 / 2, kA2 = kA * kA, kB2 = kB * kB;
constexpr float a1 = kA, a2 = kA2, a3 = kA * kA2, b1 = kB, b2 = kB2, b3 = kB * kB2;

// Row `row` of V: a row of B2^T times the rows of d, then times B4.
template <typename Get, typename Put>
inline void transform_row(int row, const float* const* pixels, const Get& get, const Put& put) {
  const auto combine = [&](const auto& of) {
    const Vec d0 = of(0), d1 = of(1), d2 = of(2), d3 = of(3), d4 = of(4), d5 = of(5);
    put(0, a2 * b2 * d0 + (d4 - (a2 + b2) * d2));
    const Vec even_a = d4 - b2 * d2, odd_a = a1 * (d3 - b2 * d1);
    put(1, even_a + odd_a);
    put(2, even_a - odd_a);
    const Vec even_b = d4 - a2 * d2, odd_b = b1 * (d3 - a2 * d1);
    put(3, even_b + odd_b);
    put(4, even_b - odd_b);
    put(5, a2 * b2 * d1 + (d5 - (a2 + b2) * d3));
  };
  const auto pixel = [&](int y, int x) { return get(pixels[y * kWinogradColumns + x]); };
  switch (row) {
    case 0: return combine([&](int x) { return pixel(0, x) - pixel(2, x); });
    case 1: return combine([&](int x) { return pixel(1, x) + pixel(2, x); });
    case 2: return combine([&](int x) { return pixel(2, x) - pixel(1, x); });
    default: return combine([&](int x) { return pixel(1, x) - pixel(3, x); });
  }
}

template <typename Get, typename Put>
inline void transform_weights(const float* const* taps, const Get& get, const Put& put) {
  constexpr double fa = 2 * kA2 * (kA2 - kB2), fb = 2 * kB2 * (kB2 - kA2);
  DVec kernel[9];
  for (int t = 0; t < 9; ++t) kernel[t] = get(taps[t]);
  for (int y = 0; y < kWinogradRows; ++y) {
    DVec g[3];
    for (int x = 0; x < 3; ++x) {
      const DVec top = kernel[x], middle = kernel[3 + x], bottom = kernel[6 + x];
      g[x] = y == 0 ? top : y == 1 ? 0.5 * (top + middle + bottom) : y == 2 ? 0.5 * (top - middle + bottom) : bottom;
    }
    const auto to = [&](int x, DVec u) { put(y * kWinogradColumns + x, __builtin_convertvector(u, Vec)); };
    to(0, g[0] / (kA2 * kB2));
    to(1, (g[0] + kA * g[1] + kA2 * g[2]) / fa);
    to(2, (g[0] - kA * g[1] + kA2 * g[2]) / fa);
    to(3, (g[0] + kB * g[1] + kB2 * g[2]) / fb);
    to(4, (g[0] - kB * g[1] + kB2 * g[2]) / fb);
    to(5, g[2]);
  }
}

void weights(const float* const* taps, int64_t channels, float* to, int64_t stride) {
  for_each_vector(channels, [&]<bool kWhole>(int64_t c, int64_t n) {
    transform_weights(
        taps, [&](const float* p) { return __builtin_convertvector(get<kWhole>(p + c, n), DVec); },
        [&](int t, Vec v) { put<kWhole>(to + t * stride + c, v, n); });
  });
}

void input_row(int row, const float* const* pixels, int64_t channels, float* to, int64_t stride) {
  for_each_vector(channels, [&]<bool kWhole>(int64_t c, int64_t n) {
    transform_row(
        row, pixels, [&](const float* p) { return get<kWhole>(p + c, n); }, [&](int t, Vec v) { put<kWhole>(to + t * stride + c, v, n); });
  });
}

void output(const float* sums, int64_t stride, int64_t panel, const WinogradTile* tiles, int64_t count, int64_t column, int width,
            int64_t columns, const Output& shared) {
  const Output out = shared;  // its own: stores cannot change it
  with_activation(out.activation, [&]<Activation activation>() {
    for (int64_t i = 0; i < count; ++i) {
      const WinogradTile& tile = tiles[i];
      for (int j = 0; j < width; j += kLanes) {
        const float* from = sums + i * panel + j;
        Vec rows[kWinogradDown][kWinogradColumns];
        for (int x = 0; x < kWinogradColumns; ++x) {
          const auto sum = [&](int y) { return load(from + (y * kWinogradColumns + x) * stride); };
          const Vec m0 = sum(0), m1 = sum(1), m2 = sum(2), m3 = sum(3);
          rows[0][x] = m0 + m1 + m2;
          rows[1][x] = m1 - m2 - m3;
        }
        for (int y = 0; y < kWinogradDown; ++y) {
          const Vec* m = rows[y];
          const Vec even_a = m[1] + m[2], odd_a = m[1] - m[2], even_b = m[3] + m[4], odd_b = m[3] - m[4];
          const Vec result[kWinogradAcross] = {m[0] + even_a + even_b, a1 * odd_a + b1 * odd_b, a2 * even_a + b2 * even_b,
                                               a3 * odd_a + (b3 * odd_b + m[5])};
          for (int x = 0; x < kWinogradAcross; ++x) {
            const int64_t place = tile.out[y * kWinogradAcross + x];
            if (place >= 0) finish_vector<activation>(out, place, tile.image, column + j, columns, result[x], width - j);
          }
        }
      }
    }
  });
}

}  // namespace

const WinogradKernels& winograd_kernels() {
  static constexpr WinogradKernels kernels = {weights, input_row, output};
  return kernels;
}

}  // namespace motley::kernels::MOTLEY_ISA
