// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/augment.h"

#include "kernels/cpu/vec.h"

namespace motley::kernels::MOTLEY_ISA {
namespace {

typedef uint8_t ByteVec __attribute__((vector_size(kLanes), aligned(1), may_alias));

typedef float Pixel __attribute__((vector_size(16), aligned(4), may_alias));  // three channels, and what comes after them

inline Pixel& pixel(float* p) { return *reinterpret_cast<Pixel*>(p); }

void to_floats(const uint8_t* bytes, int64_t n, float* floats) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(floats + i, __builtin_convertvector(*reinterpret_cast<const ByteVec*>(bytes + i), Vec));
  for (; i < n; ++i) floats[i] = bytes[i];
}

// A source row -> the output's columns, normalised. Pixels are stored in order, each over the fourth value of the one
// before.
void resample_row(const Resampling& how, int64_t row, float* source, float* line) {
  to_floats(how.corner + row * how.stride, 3 * how.width, source);
  const Pixel scale = {how.scale[0], how.scale[1], how.scale[2], 0}, offset = {how.offset[0], how.offset[1], how.offset[2], 0};
  for (int64_t x = 0; x < how.out_width; ++x) {
    const Tap& t = how.columns[x];
    const Pixel a = pixel(source + 3 * t.first), b = pixel(source + 3 * t.second);
    pixel(line + 3 * x) = (a + (b - a) * t.weight) * scale + offset;
  }
}

// Rows after columns: every source row is resampled once, and two of them are kept.
void resample(const Resampling& how, float* scratch, float* out) {
  const int64_t n = 3 * how.out_width;
  float* const source = scratch;
  float* const lines[2] = {source + 3 * how.width + 1, source + 3 * how.width + 1 + n + 1};
  int64_t held[2] = {-1, -1};
  const auto line = [&](int64_t row) {
    const int64_t at = row % 2;
    if (held[at] != row) resample_row(how, held[at] = row, source, lines[at]);
    return lines[at];
  };
  for (int64_t y = 0; y < how.out_height; ++y) {
    const Tap& t = how.rows[y];
    const float *top = line(t.first), *bottom = line(t.second);
    for_each_vector(n, [&]<bool kWhole>(int64_t i, int64_t k) {
      const Vec a = get<kWhole>(top + i, k), b = get<kWhole>(bottom + i, k);
      put<kWhole>(out + y * n + i, a + (b - a) * t.weight, k);
    });
  }
}

}  // namespace

const AugmentKernels& augment_kernels() {
  static constexpr AugmentKernels kernels{resample};
  return kernels;
}

}  // namespace motley::kernels::MOTLEY_ISA
