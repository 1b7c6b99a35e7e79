// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/augment.h"

#include "kernels/cpu/vec.h"

namespace motley::kernels::MOTLEY_ISA {
namespace {

typedef uint8_t ByteVec __attribute__((vector_size(kLanes), aligned(1), may_alias));

// Source position of output i: first index, second index, weight of the second (torch's area_pixel_compute_source_index).
struct Tap {
  int64_t first, second;
  float weight;
};

inline Tap tap(int64_t i, int64_t in, int64_t out) {
  const float step = static_cast<float>(in) / static_cast<float>(out);
  float at = (static_cast<float>(i) + 0.5f) * step - 0.5f;
  if (at < 0) at = 0;
  int64_t first = static_cast<int64_t>(at);
  if (first > in - 1) first = in - 1;
  const int64_t second = first < in - 1 ? first + 1 : first;
  return {first, second, at - static_cast<float>(first)};
}

// line = a + (b - a) * weight over n bytes
void blend_rows(const uint8_t* a, const uint8_t* b, float weight, int64_t n, float* line) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Vec va = __builtin_convertvector(*reinterpret_cast<const ByteVec*>(a + i), Vec);
    const Vec vb = __builtin_convertvector(*reinterpret_cast<const ByteVec*>(b + i), Vec);
    store(line + i, va + (vb - va) * weight);
  }
  for (; i < n; ++i) {
    const float fa = a[i], fb = b[i];
    line[i] = fa + (fb - fa) * weight;
  }
}

void crop_resize(const uint8_t* image, int64_t width, const Crop& crop, const Window& window, const float mean[3],
                 const float std[3], float* scratch, float* out) {
  const uint8_t* corner = image + (crop.top * width + crop.left) * 3;
  for (int64_t y = 0; y < window.height; ++y) {
    const Tap v = tap(window.top + y, crop.height, window.resized_h);
    blend_rows(corner + v.first * width * 3, corner + v.second * width * 3, v.weight, crop.width * 3, scratch);
    float* row = out + y * window.width * 3;
    for (int64_t x = 0; x < window.width; ++x) {
      const Tap h = tap(window.left + x, crop.width, window.resized_w);
      float* pixel = row + (crop.flip ? window.width - 1 - x : x) * 3;
      for (int64_t c = 0; c < 3; ++c) {
        const float a = scratch[h.first * 3 + c], b = scratch[h.second * 3 + c];
        pixel[c] = ((a + (b - a) * h.weight) / 255.0f - mean[c]) / std[c];
      }
    }
  }
}

}  // namespace

const AugmentKernels& augment_kernels() {
  static constexpr AugmentKernels kernels{crop_resize};
  return kernels;
}

}  // namespace motley::kernels::MOTLEY_ISA
