// SPDX-License-Identifier: Apache-2.0
// RandAugment (Cubuk et al. 2020) as torchvision 0.14 does it to uint8 tensors: its 14 operations, 31 magnitudes, nearest pixel, 0 from
// outside. Factors and sums are float32 and results are cut to whole numbers where torchvision's are; positions are float64.
#pragma once

#include <cstdint>

#include "kernels/philox.h"

namespace motley::kernels {

enum class ImageOp {
  identity,
  shear_x,
  shear_y,
  translate_x,
  translate_y,
  rotate,
  brightness,
  color,
  contrast,
  sharpness,
  posterize,
  solarize,
  auto_contrast,
  equalize
};
constexpr int kImageOps = 14;
constexpr int kMagnitudes = 31;  // 0 to 30

/// What an operation has of magnitude `bin` in an image of that size, before a sign: a slope, pixels, degrees, a factor less 1, bits, a
/// threshold; 0 where it has none.
float op_magnitude(ImageOp op, int bin, int64_t height, int64_t width);
/// Whether the sign of its magnitude is drawn.
bool op_is_signed(ImageOp op);

/// image (h, w, 3) -> out (h, w, 3), which must be other memory.
void apply_op(ImageOp op, float magnitude, const uint8_t* image, int64_t height, int64_t width, uint8_t* out);

/// So many operations, drawn one after the other, on image (h, w, 3) in place; other: as large, for intermediate results.
void rand_augment(int ops, int bin, PhiloxStream& random, int64_t height, int64_t width, uint8_t* image, uint8_t* other);

}  // namespace motley::kernels
