// SPDX-License-Identifier: Apache-2.0
#include "sampler/noise.h"

#include <cmath>
#include <numbers>
#include <random>

#include "kernels/philox.h"
#include "libtorch/parallel.h"

namespace motley {
namespace {

constexpr int64_t kBlock = 16;  // elements that torch's vectorised path transforms together

// In [0, 1), 24 bits: what torch's uniform_real_distribution<float> takes of a 32-bit draw.
float unit_float(std::mt19937& engine) { return static_cast<float>(engine() & 0xffffffu) * 0x1p-24f; }

// In [0, 1), 53 bits of two 32-bit draws, the first one high.
double unit_double(std::mt19937& engine) {
  const uint64_t high = engine(), low = engine();
  return static_cast<double>(((high << 32) | low) & ((uint64_t{1} << 53) - 1)) * 0x1p-53;
}

// Eight uniforms become radii, eight angles, in place.
void transform_block(float* x) {
  for (int64_t i = 0; i < kBlock / 2; ++i) {
    const float u1 = 1 - x[i], u2 = x[i + kBlock / 2];
    const float radius = std::sqrt(-2 * std::log(u1));
    const float angle = static_cast<float>(2.0 * std::numbers::pi * static_cast<double>(u2));
    x[i] = radius * std::cos(angle);
    x[i + kBlock / 2] = radius * std::sin(angle);
  }
}

void blocks_of_normals(std::mt19937& engine, int64_t n, float* out) {
  for (int64_t i = 0; i < n; ++i) out[i] = unit_float(engine);
  for (int64_t i = 0; i + kBlock <= n; i += kBlock) transform_block(out + i);
  if (n % kBlock != 0) {  // the last 16 elements are drawn anew
    float* last = out + n - kBlock;
    for (int64_t i = 0; i < kBlock; ++i) last[i] = unit_float(engine);
    transform_block(last);
  }
}

void pairs_of_normals(std::mt19937& engine, int64_t n, float* out) {
  for (int64_t i = 0; i < n; i += 2) {
    const double u1 = unit_double(engine), u2 = unit_double(engine);
    const double radius = std::sqrt(-2.0 * std::log1p(-u2)), angle = 2.0 * std::numbers::pi * u1;
    out[i] = static_cast<float>(radius * std::cos(angle));
    if (i + 1 < n) out[i + 1] = static_cast<float>(radius * std::sin(angle));
  }
}

}  // namespace

void philox_normals(uint64_t seed, uint64_t image_key, uint64_t draw, int64_t n, float* out) {
  parallel_for((n + 3) / 4, 1024, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const kernels::Words words = kernels::philox(seed, (draw << 32) | static_cast<uint64_t>(block), image_key);
      double values[4];
      kernels::box_muller(words.w[0], words.w[1], values[0], values[1]);
      kernels::box_muller(words.w[2], words.w[3], values[2], values[3]);
      for (int64_t i = 4 * block; i < 4 * block + 4 && i < n; ++i) out[i] = static_cast<float>(values[i % 4]);
    }
  });
}

void torch_normals(uint64_t seed, int64_t draws, int64_t n, float* out) {
  std::mt19937 engine(static_cast<uint32_t>(seed));  // torch keeps the low 32 bits
  if (n < kBlock) {
    pairs_of_normals(engine, draws * n, out);
  } else {
    for (int64_t i = 0; i < draws; ++i) blocks_of_normals(engine, n, out + i * n);
  }
}

}  // namespace motley
