// SPDX-License-Identifier: Apache-2.0
// Packed uint8 images -> network inputs: RandomResizedCrop and horizontal flip as torchvision draws them, bilinear
// resampling without anti-aliasing as torch's interpolate (align_corners false), then (pixel / 255 - mean) / std.
// The randomness is a pure function of (seed, epoch, image index).
#pragma once

#include <cstdint>

#include "kernels/cpu/isa.h"

namespace motley::kernels {

struct Crop {
  int64_t top, left, height, width;
  bool flip;
};

struct Augmentation {
  double scale_min = 1, scale_max = 1;  // area of the crop, as a fraction
  double ratio_min = 0.75, ratio_max = 4.0 / 3.0;
  double flip = 0;  // probability
  /// 1, 1: the whole image, whatever the ratio
  bool crops() const { return scale_min != 1 || scale_max != 1; }
};

/// torchvision's RandomResizedCrop.get_params (10 tries, then the largest central crop) and a flip.
Crop draw_crop(const Augmentation& how, int64_t height, int64_t width, uint64_t seed, uint64_t epoch, uint64_t image);

/// pixel -> (pixel / 255 - mean) / std in float32, per channel: (256, 3)
void normalisation_table(const float mean[3], const float std[3], float* table);

struct AugmentKernels {
  /// image (h, w, 3) -> out (size_h, size_w, 3). scratch: 3 * crop.width floats.
  void (*crop_resize)(const uint8_t* image, int64_t width, const Crop& crop, int64_t size_h, int64_t size_w,
                      const float mean[3], const float std[3], float* scratch, float* out);
};
const AugmentKernels& augment_kernels();

/// One image through crop, flip, normalisation. A crop of the output's own size is not resampled: exact by the table.
void augment_image(const uint8_t* image, int64_t width, const Crop& crop, int64_t size_h, int64_t size_w,
                   const float mean[3], const float std[3], const float* table, float* out);

namespace reference {
void crop_resize(const uint8_t* image, int64_t width, const Crop& crop, int64_t size_h, int64_t size_w,
                 const float mean[3], const float std[3], double* out);
}

}  // namespace motley::kernels
