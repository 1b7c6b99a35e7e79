// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/winograd.h"

#include "kernels/cpu/epilogue.h"

namespace motley::kernels::MOTLEY_ISA {
namespace {

// Row i of V: a row of B^T times the rows of d, then times B.
template <typename Get, typename Put>
inline void transform_row(int row, const float* const* pixels, const Get& get, const Put& put) {
  const auto combine = [&](const auto& of) {
    const Vec r0 = of(0), r1 = of(1), r2 = of(2), r3 = of(3);
    put(0, r0 - r2);
    put(1, r1 + r2);
    put(2, r2 - r1);
    put(3, r1 - r3);
  };
  switch (row) {
    case 0: return combine([&](int j) { return get(pixels[j]) - get(pixels[8 + j]); });
    case 1: return combine([&](int j) { return get(pixels[4 + j]) + get(pixels[8 + j]); });
    case 2: return combine([&](int j) { return get(pixels[8 + j]) - get(pixels[4 + j]); });
    default: return combine([&](int j) { return get(pixels[4 + j]) - get(pixels[12 + j]); });
  }
}

template <typename Get, typename Put>
inline void transform_weights(const float* const* taps, const Get& get, const Put& put) {
  const auto along = [](DVec a, DVec b, DVec c, DVec (&out)[4]) {
    out[0] = a;
    out[1] = 0.5 * (a + b + c);
    out[2] = 0.5 * (a - b + c);
    out[3] = c;
  };
  DVec columns[3][4];
  for (int x = 0; x < 3; ++x) along(get(taps[x]), get(taps[3 + x]), get(taps[6 + x]), columns[x]);
  for (int y = 0; y < 4; ++y) {
    DVec row[4];
    along(columns[0][y], columns[1][y], columns[2][y], row);
    for (int x = 0; x < 4; ++x) put(4 * y + x, __builtin_convertvector(row[x], Vec));
  }
}

void weights(const float* const* taps, int64_t channels, float* to, int64_t stride) {
  for_each_vector(channels, [&]<bool kWhole>(int64_t c, int64_t n) {
    transform_weights(taps, [&](const float* p) { return __builtin_convertvector(get<kWhole>(p + c, n), DVec); },
                      [&](int t, Vec v) { put<kWhole>(to + t * stride + c, v, n); });
  });
}

void input_row(int row, const float* const* pixels, int64_t channels, float* to, int64_t stride) {
  for_each_vector(channels, [&]<bool kWhole>(int64_t c, int64_t n) {
    transform_row(row, pixels, [&](const float* p) { return get<kWhole>(p + c, n); },
                  [&](int t, Vec v) { put<kWhole>(to + t * stride + c, v, n); });
  });
}

void output(const float* sums, int64_t stride, int64_t panel, const WinogradTile* tiles, int64_t count, int64_t column,
            int width, int64_t columns, const Output& out) {
  with_activation(out.activation, [&]<Activation activation>() {
    for (int64_t i = 0; i < count; ++i) {
      const WinogradTile& tile = tiles[i];
      for (int j = 0; j < width; j += kLanes) {
        const float* from = sums + i * panel + j;
        Vec rows[2][4];
        for (int t = 0; t < 4; ++t) {
          const Vec m0 = load(from + t * stride), m1 = load(from + (4 + t) * stride);
          const Vec m2 = load(from + (8 + t) * stride), m3 = load(from + (12 + t) * stride);
          rows[0][t] = m0 + m1 + m2;
          rows[1][t] = m1 - m2 - m3;
        }
        for (int y = 0; y < 2; ++y) {
          const Vec left = rows[y][0] + rows[y][1] + rows[y][2], right = rows[y][1] - rows[y][2] - rows[y][3];
          if (tile.out[2 * y] >= 0) finish_vector<activation>(out, tile.out[2 * y], tile.image, column + j, columns, left, width - j);
          if (tile.out[2 * y + 1] >= 0) finish_vector<activation>(out, tile.out[2 * y + 1], tile.image, column + j, columns, right, width - j);
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
