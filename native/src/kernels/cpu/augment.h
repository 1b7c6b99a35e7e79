// SPDX-License-Identifier: Apache-2.0
// Packed uint8 images -> network inputs, as torchvision draws and computes them: RandomResizedCrop and a horizontal flip, or
// RandomRotation, flip, Resize and RandomCrop; bilinear resampling without anti-aliasing as torch's interpolate (align_corners
// false), then (pixel / 255 - mean) / std. The randomness is a pure function of (seed, epoch, image index).
#pragma once

#include <cstdint>

#include "kernels/cpu/isa.h"

namespace motley::kernels {

struct Crop {
  int64_t top, left, height, width;
  bool flip;
};

/// The part that is seen of a crop after it was resampled to resized_h x resized_w.
struct Window {
  int64_t resized_h, resized_w;
  int64_t top, left, height, width;
};

struct View {
  double angle;  // degrees, counter-clockwise, about the image's centre, before the crop; what comes in from outside is 0
  Crop crop;
  Window window;
};

struct Augmentation {
  double scale_min = 1, scale_max = 1;  // area of the crop, as a fraction
  double ratio_min = 0.75, ratio_max = 4.0 / 3.0;
  double flip = 0;      // probability
  double rotation = 0;  // largest angle in degrees, to either side
  int64_t resize = 0;   // of the shorter side, before a random crop of the network's size; 0: the crop is resized to it
  /// 1, 1: the whole image, whatever the ratio
  bool crops() const { return scale_min != 1 || scale_max != 1; }
};

/// The crop resampled to height x width, all of it seen.
inline Window whole_window(int64_t height, int64_t width) { return {height, width, 0, 0, height, width}; }

/// torchvision's RandomResizedCrop.get_params (10 tries, then the largest central crop) and a flip, for inputs of size x size.
/// With a resize, torchvision's RandomRotation, flip, Resize(resize) and RandomCrop(size), one after the other.
View draw_view(const Augmentation& how, int64_t height, int64_t width, int64_t size, uint64_t seed, uint64_t epoch, uint64_t image);

/// What a test sees: torchvision's Resize(resize) and CenterCrop(size); with resize 0 the whole image resampled to size x size.
View test_view(int64_t height, int64_t width, int64_t resize, int64_t size);

/// pixel -> (pixel / 255 - mean) / std in float32, per channel: (256, 3)
void normalisation_table(const float mean[3], const float std[3], float* table);

/// Where an output row or column comes from: (1 - weight) of one source row or column, weight of the other, counted in the crop.
struct Tap {
  int64_t first, second;
  float weight;
};

/// The crop and where its pixels go, for the kernel.
struct Resampling {
  const uint8_t* corner;  // the crop's first pixel
  int64_t stride;         // bytes from a row to the next
  int64_t width;          // columns of the crop
  const Tap* rows;        // of each row of the output; their sources do not fall
  int64_t out_height;
  const Tap* columns;  // of each column of the output
  int64_t out_width;
  float scale[3], offset[3];  // pixel -> pixel * scale + offset, per channel

  /// Floats of scratch memory: a row of the crop and two of the output, each with room for a vector that goes one value too far.
  int64_t scratch() const { return 3 * width + 2 * (3 * out_width) + 3; }
};

struct AugmentKernels {
  /// -> out (out_height, out_width, 3)
  void (*resample)(const Resampling& how, float* scratch, float* out);
};
const AugmentKernels& augment_kernels();

/// One image (height, width, 3) through its view and normalisation. A crop that keeps its size is not resampled: exact by the table.
void augment_image(const uint8_t* image, int64_t height, int64_t width, const View& view, const float mean[3], const float std[3],
                   const float* table, float* out);

namespace reference {
void crop_resize(const uint8_t* image, int64_t width, const Crop& crop, const Window& window, const float mean[3], const float std[3],
                 double* out);
}

}  // namespace motley::kernels
