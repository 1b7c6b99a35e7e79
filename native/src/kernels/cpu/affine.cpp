// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/affine.h"

#include <cmath>
#include <cstring>

namespace motley::kernels {

Affine rotation(double degrees) {
  constexpr double kDegree = 3.14159265358979323846 / 180;
  const double cosine = std::cos(degrees * kDegree), sine = std::sin(degrees * kDegree);
  return {cosine, -sine, 0, sine, cosine, 0};
}

void affine_nearest(const uint8_t* image, int64_t height, int64_t width, const Affine& map, uint8_t* out) {
  const double centre_x = 0.5 * static_cast<double>(width - 1), centre_y = 0.5 * static_cast<double>(height - 1);
  for (int64_t y = 0; y < height; ++y) {
    const double v = static_cast<double>(y) - centre_y;
    const double from_x = map.b * v + map.c + centre_x, from_y = map.e * v + map.f + centre_y;
    for (int64_t x = 0; x < width; ++x) {
      const double u = static_cast<double>(x) - centre_x;
      const double column = std::nearbyint(map.a * u + from_x), row = std::nearbyint(map.d * u + from_y);
      uint8_t* pixel = out + (y * width + x) * 3;
      if (column >= 0 && column < static_cast<double>(width) && row >= 0 && row < static_cast<double>(height)) {
        std::memcpy(pixel, image + (static_cast<int64_t>(row) * width + static_cast<int64_t>(column)) * 3, 3);
      } else {
        std::memset(pixel, 0, 3);
      }
    }
  }
}

}  // namespace motley::kernels
