// SPDX-License-Identifier: Apache-2.0
// Affine maps of uint8 images by the nearest pixel, 0 outside: what torchvision's `affine` and `rotate` do to tensors
// (affine_grid and grid_sample with align_corners false), with positions in float64 where torch has float32.
#pragma once

#include <cstdint>

namespace motley::kernels {

/// Where a pixel comes from: (x, y) = (a x' + b y' + c, d x' + e y' + f), in pixels from the image's centre.
struct Affine {
  double a, b, c, d, e, f;
};

/// torchvision's rotate: by degrees, counter-clockwise, about the centre.
Affine rotation(double degrees);

/// image (h, w, 3) -> out (h, w, 3); halves are rounded to even, as nearbyint does.
void affine_nearest(const uint8_t* image, int64_t height, int64_t width, const Affine& map, uint8_t* out);

}  // namespace motley::kernels
