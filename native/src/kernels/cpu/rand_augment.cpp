// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/rand_augment.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/cpu/affine.h"

namespace motley::kernels {

namespace {

// torch.linspace(start, end, 31)[i] in float32, from the nearer end
float linspace(float start, float end, int i) {
  const float step = (end - start) / static_cast<float>(kMagnitudes - 1);
  return i < kMagnitudes / 2 ? start + step * static_cast<float>(i) : end - step * static_cast<float>(kMagnitudes - 1 - i);
}

// Into [0, 255], then cut to a whole number, as clamp and a cast to uint8 do
uint8_t cut(float value) { return static_cast<uint8_t>(std::clamp(value, 0.0f, 255.0f)); }

float blend(float a, float b, float ratio) { return ratio * a + (1 - ratio) * b; }

uint8_t grey(const uint8_t* pixel) { return cut(0.2989f * pixel[0] + 0.587f * pixel[1] + 0.114f * pixel[2]); }

void brightness(float factor, const uint8_t* in, int64_t bytes, uint8_t* out) {
  for (int64_t i = 0; i < bytes; ++i) out[i] = cut(factor * in[i]);
}

void color(float factor, const uint8_t* in, int64_t bytes, uint8_t* out) {
  for (int64_t i = 0; i < bytes; i += 3) {
    const float g = grey(in + i);
    for (int64_t c = i; c < i + 3; ++c) out[c] = cut(blend(in[c], g, factor));
  }
}

void contrast(float factor, const uint8_t* in, int64_t bytes, uint8_t* out) {
  int64_t sum = 0;
  for (int64_t i = 0; i < bytes; i += 3) sum += grey(in + i);
  const float mean = static_cast<float>(static_cast<double>(sum) / static_cast<double>(bytes / 3));
  for (int64_t i = 0; i < bytes; ++i) out[i] = cut(blend(in[i], mean, factor));
}

// Blended with the mean of 3x3 pixels in which the centre counts five times; the border stays
void sharpness(float factor, const uint8_t* in, int64_t height, int64_t width, uint8_t* out) {
  std::memcpy(out, in, static_cast<size_t>(height * width * 3));
  const int64_t row = width * 3;
  for (int64_t y = 1; y + 1 < height; ++y) {
    for (int64_t i = y * row + 3; i < (y + 1) * row - 3; ++i) {
      int sum = 4 * in[i];
      for (int64_t above = i - row; above <= i + row; above += row) sum += in[above - 3] + in[above] + in[above + 3];
      out[i] = cut(blend(in[i], std::nearbyint(static_cast<float>(sum) / 13), factor));
    }
  }
}

void posterize(int bits, const uint8_t* in, int64_t bytes, uint8_t* out) {
  const auto mask = static_cast<uint8_t>(0xff << (8 - bits));
  for (int64_t i = 0; i < bytes; ++i) out[i] = in[i] & mask;
}

void solarize(float threshold, const uint8_t* in, int64_t bytes, uint8_t* out) {
  for (int64_t i = 0; i < bytes; ++i) out[i] = static_cast<float>(in[i]) >= threshold ? static_cast<uint8_t>(255 - in[i]) : in[i];
}

// Each channel is stretched to [0, 255]; one of a single value stays
void auto_contrast(const uint8_t* in, int64_t bytes, uint8_t* out) {
  for (int64_t c = 0; c < 3; ++c) {
    uint8_t least = 255, most = 0;
    for (int64_t i = c; i < bytes; i += 3) least = std::min(least, in[i]), most = std::max(most, in[i]);
    const float low = least == most ? 0.0f : least, scale = least == most ? 1.0f : 255.0f / static_cast<float>(most - least);
    for (int64_t i = c; i < bytes; i += 3) out[i] = cut((static_cast<float>(in[i]) - low) * scale);
  }
}

// Each channel by its histogram, as Pillow has it
void equalize(const uint8_t* in, int64_t bytes, uint8_t* out) {
  for (int64_t c = 0; c < 3; ++c) {
    int64_t histogram[256] = {}, last = 0;
    for (int64_t i = c; i < bytes; i += 3) ++histogram[in[i]];
    for (int64_t count : histogram) last = count != 0 ? count : last;
    const int64_t step = (bytes / 3 - last) / 255;
    uint8_t table[256];
    int64_t below = 0;
    for (int v = 0; v < 256; ++v) {
      table[v] = step == 0 ? static_cast<uint8_t>(v) : static_cast<uint8_t>(v == 0 ? 0 : std::min<int64_t>(255, (below + step / 2) / step));
      below += histogram[v];
    }
    for (int64_t i = c; i < bytes; i += 3) out[i] = table[in[i]];
  }
}

}  // namespace

float op_magnitude(ImageOp op, int bin, int64_t height, int64_t width) {
  constexpr double kShare = 150.0 / 331.0;  // of the image, at most
  switch (op) {
    case ImageOp::shear_x:
    case ImageOp::shear_y: return linspace(0, 0.3f, bin);
    case ImageOp::translate_x: return linspace(0, static_cast<float>(kShare * static_cast<double>(width)), bin);
    case ImageOp::translate_y: return linspace(0, static_cast<float>(kShare * static_cast<double>(height)), bin);
    case ImageOp::rotate: return linspace(0, 30, bin);
    case ImageOp::brightness:
    case ImageOp::color:
    case ImageOp::contrast:
    case ImageOp::sharpness: return linspace(0, 0.9f, bin);
    case ImageOp::posterize: return 8 - std::nearbyint(static_cast<float>(bin) / 7.5f);
    case ImageOp::solarize: return linspace(255, 0, bin);
    default: return 0;
  }
}

bool op_is_signed(ImageOp op) { return op >= ImageOp::shear_x && op <= ImageOp::sharpness; }

void apply_op(ImageOp op, float magnitude, const uint8_t* image, int64_t height, int64_t width, uint8_t* out) {
  const int64_t bytes = height * width * 3;
  const double m = static_cast<double>(magnitude);
  const auto map = [&](const Affine& affine) { affine_nearest(image, height, width, affine, out); };
  switch (op) {
    // Shears hold the image's upper left corner, not its centre.
    case ImageOp::shear_x: return map({1, m, m * static_cast<double>(height) / 2, 0, 1, 0});
    case ImageOp::shear_y: return map({1, 0, 0, m, 1, m * static_cast<double>(width) / 2});
    case ImageOp::translate_x: return map({1, 0, -std::trunc(m), 0, 1, 0});
    case ImageOp::translate_y: return map({1, 0, 0, 0, 1, -std::trunc(m)});
    case ImageOp::rotate: return map(rotation(m));
    case ImageOp::brightness: return brightness(1 + magnitude, image, bytes, out);
    case ImageOp::color: return color(1 + magnitude, image, bytes, out);
    case ImageOp::contrast: return contrast(1 + magnitude, image, bytes, out);
    case ImageOp::sharpness: return sharpness(1 + magnitude, image, height, width, out);
    case ImageOp::posterize: return posterize(static_cast<int>(magnitude), image, bytes, out);
    case ImageOp::solarize: return solarize(magnitude, image, bytes, out);
    case ImageOp::auto_contrast: return auto_contrast(image, bytes, out);
    case ImageOp::equalize: return equalize(image, bytes, out);
    case ImageOp::identity: std::memcpy(out, image, static_cast<size_t>(bytes));
  }
}

void rand_augment(int ops, int bin, PhiloxStream& random, int64_t height, int64_t width, uint8_t* image, uint8_t* other) {
  for (int i = 0; i < ops; ++i) {
    const auto op = static_cast<ImageOp>(random.below(kImageOps));
    const bool negative = op_is_signed(op) && random.below(2) == 1;
    const float magnitude = op_magnitude(op, bin, height, width);
    apply_op(op, negative ? -magnitude : magnitude, image, height, width, other);
    std::memcpy(image, other, static_cast<size_t>(height * width * 3));
  }
}

}  // namespace motley::kernels
