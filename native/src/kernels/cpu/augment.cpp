// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/augment.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/cpu/affine.h"
#include "kernels/philox.h"

namespace motley::kernels {

MOTLEY_CHOOSE(augment, AugmentKernels)

namespace {
constexpr int kTries = 10;  // as torchvision

Crop draw_crop(const Augmentation& how, int64_t height, int64_t width, PhiloxStream& random) {
  Crop crop{0, 0, height, width, random.uniform() < how.flip};
  if (!how.crops()) return crop;
  const double area = static_cast<double>(height * width);
  for (int i = 0; i < kTries; ++i) {
    const double target = area * random.uniform(how.scale_min, how.scale_max);
    const double ratio = std::exp(random.uniform(std::log(how.ratio_min), std::log(how.ratio_max)));
    const auto w = static_cast<int64_t>(std::nearbyint(std::sqrt(target * ratio)));
    const auto h = static_cast<int64_t>(std::nearbyint(std::sqrt(target / ratio)));
    if (w <= 0 || h <= 0 || w > width || h > height) continue;
    crop.top = random.below(static_cast<uint32_t>(height - h + 1));
    crop.left = random.below(static_cast<uint32_t>(width - w + 1));
    crop.height = h;
    crop.width = w;
    return crop;
  }
  const double ratio = static_cast<double>(width) / static_cast<double>(height);
  if (ratio < how.ratio_min) {
    crop.height = std::min(height, static_cast<int64_t>(std::nearbyint(static_cast<double>(width) / how.ratio_min)));
  } else if (ratio > how.ratio_max) {
    crop.width = std::min(width, static_cast<int64_t>(std::nearbyint(static_cast<double>(height) * how.ratio_max)));
  }
  crop.top = (height - crop.height) / 2;
  crop.left = (width - crop.width) / 2;
  return crop;
}

// torchvision's Resize with one number: the shorter side becomes `resize`, the longer one is cut to whole pixels.
Window resized_window(int64_t height, int64_t width, int64_t resize, int64_t size) {
  const int64_t h = height <= width ? resize : resize * height / width;
  const int64_t w = width <= height ? resize : resize * width / height;
  return {h, w, 0, 0, size, size};
}

// Of output i: torch's area_pixel_compute_source_index.
Tap tap(int64_t i, int64_t in, int64_t out) {
  const float step = static_cast<float>(in) / static_cast<float>(out);
  const float at = std::max(0.0f, (static_cast<float>(i) + 0.5f) * step - 0.5f);
  const int64_t first = std::min(static_cast<int64_t>(at), in - 1);
  return {first, std::min(first + 1, in - 1), at - static_cast<float>(first)};
}

void crop_resize(const uint8_t* image, int64_t width, const Crop& crop, const Window& window, const float mean[3], const float std[3],
                 float* out) {
  std::vector<Tap> rows, columns;
  for (int64_t y = 0; y < window.height; ++y) rows.push_back(tap(window.top + y, crop.height, window.resized_h));
  for (int64_t x = 0; x < window.width; ++x) columns.push_back(tap(window.left + x, crop.width, window.resized_w));
  if (crop.flip) std::reverse(columns.begin(), columns.end());
  Resampling how{
      image + (crop.top * width + crop.left) * 3, width * 3, crop.width, rows.data(), window.height, columns.data(), window.width, {}, {}};
  for (int c = 0; c < 3; ++c) {
    how.scale[c] = 1.0f / (255.0f * std[c]);
    how.offset[c] = -mean[c] / std[c];
  }
  std::vector<float> scratch(static_cast<size_t>(how.scratch()));
  augment_kernels().resample(how, scratch.data(), out);
}

}  // namespace

View draw_view(const Augmentation& how, int64_t height, int64_t width, int64_t size, uint64_t seed, uint64_t epoch, uint64_t image) {
  PhiloxStream random(seed, (epoch << 32) | image, draws::kAugment);
  const Crop crop = draw_crop(how, height, width, random);
  const double angle = how.rotation == 0 ? 0 : random.uniform(-how.rotation, how.rotation);
  if (how.resize == 0) return {angle, crop, whole_window(size, size)};
  Window window = resized_window(height, width, how.resize, size);
  window.top = random.below(static_cast<uint32_t>(window.resized_h - size + 1));
  window.left = random.below(static_cast<uint32_t>(window.resized_w - size + 1));
  return {angle, crop, window};
}

View test_view(int64_t height, int64_t width, int64_t resize, int64_t size) {
  const Crop crop{0, 0, height, width, false};
  if (resize == 0) return {0, crop, whole_window(size, size)};
  Window window = resized_window(height, width, resize, size);
  window.top = static_cast<int64_t>(std::nearbyint(static_cast<double>(window.resized_h - size) / 2));  // Python's round
  window.left = static_cast<int64_t>(std::nearbyint(static_cast<double>(window.resized_w - size) / 2));
  return {0, crop, window};
}

void normalisation_table(const float mean[3], const float std[3], float* table) {
  for (int pixel = 0; pixel < 256; ++pixel) {
    for (int c = 0; c < 3; ++c) table[pixel * 3 + c] = (static_cast<float>(pixel) / 255.0f - mean[c]) / std[c];
  }
}

void augment_image(const uint8_t* image, int64_t height, int64_t width, const View& view, const float mean[3], const float std[3],
                   const float* table, float* out) {
  std::vector<uint8_t> turned;
  if (view.angle != 0) {
    turned.resize(static_cast<size_t>(height * width * 3));
    affine_nearest(image, height, width, rotation(view.angle), turned.data());
    image = turned.data();
  }
  const Crop& crop = view.crop;
  const Window& window = view.window;
  if (crop.height != window.resized_h || crop.width != window.resized_w) {
    crop_resize(image, width, crop, window, mean, std, out);
    return;
  }
  for (int64_t y = 0; y < window.height; ++y) {
    const uint8_t* row = image + ((crop.top + window.top + y) * width + crop.left + window.left) * 3;
    for (int64_t x = 0; x < window.width; ++x) {
      float* pixel = out + (y * window.width + (crop.flip ? window.width - 1 - x : x)) * 3;
      for (int64_t c = 0; c < 3; ++c) pixel[c] = table[row[x * 3 + c] * 3 + c];
    }
  }
}

namespace reference {

void crop_resize(const uint8_t* image, int64_t width, const Crop& crop, const Window& window, const float mean[3], const float std[3],
                 double* out) {
  auto position = [](int64_t i, int64_t in, int64_t size) {
    return std::max(0.0, (static_cast<double>(i) + 0.5) * static_cast<double>(in) / static_cast<double>(size) - 0.5);
  };
  for (int64_t y = 0; y < window.height; ++y) {
    for (int64_t x = 0; x < window.width; ++x) {
      const double v = position(window.top + y, crop.height, window.resized_h);
      const double h = position(window.left + x, crop.width, window.resized_w);
      const auto y0 = static_cast<int64_t>(v), x0 = static_cast<int64_t>(h);
      const int64_t y1 = std::min(y0 + 1, crop.height - 1), x1 = std::min(x0 + 1, crop.width - 1);
      const double fy = v - static_cast<double>(y0), fx = h - static_cast<double>(x0);
      for (int64_t c = 0; c < 3; ++c) {
        auto at = [&](int64_t i, int64_t j) { return static_cast<double>(image[((crop.top + i) * width + crop.left + j) * 3 + c]); };
        const double value = (1 - fy) * ((1 - fx) * at(y0, x0) + fx * at(y0, x1)) + fy * ((1 - fx) * at(y1, x0) + fx * at(y1, x1));
        out[(y * window.width + (crop.flip ? window.width - 1 - x : x)) * 3 + c] =
            (value / 255 - static_cast<double>(mean[c])) / static_cast<double>(std[c]);
      }
    }
  }
}

}  // namespace reference
}  // namespace motley::kernels
