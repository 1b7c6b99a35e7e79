// SPDX-License-Identifier: Apache-2.0
// The kernels that make network inputs of pictures, against float64 references and torchvision's rules.
#include "kernels/cpu/augment.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "kernels/cpu/affine.h"
#include "support/compare.h"

using namespace motley;
using namespace motley::kernels;
using test::on_every_isa;

TEST_CASE("crop and resize") {
  on_every_isa([] {
    const float mean[3] = {0.485f, 0.456f, 0.406f}, std[3] = {0.229f, 0.224f, 0.225f};
    std::vector<float> table(256 * 3);
    normalisation_table(mean, std, table.data());
    const int64_t h = 37, w = 41;
    std::vector<uint8_t> image(static_cast<size_t>(h * w * 3));
    for (size_t i = 0; i < image.size(); ++i) image[i] = static_cast<uint8_t>(i * 73 + i / 31);
    for (const Crop& crop : {Crop{0, 0, 37, 41, false}, Crop{3, 5, 20, 17, true}, Crop{36, 40, 1, 1, false}, Crop{0, 7, 32, 32, true},
                             Crop{2, 2, 33, 9, false}}) {
      for (int64_t size : {1, 17, 32, 50}) {
        std::vector<float> out(static_cast<size_t>(size * size * 3));
        std::vector<double> out64(out.size());
        const Window window = whole_window(size, size);
        augment_image(image.data(), h, w, {0, crop, window}, mean, std, table.data(), out.data());
        reference::crop_resize(image.data(), w, crop, window, mean, std, out64.data());
        for (size_t i = 0; i < out.size(); ++i) REQUIRE(std::abs(out[i] - out64[i]) < 1e-4);  // positions are float32, as torch's
      }
    }
    std::vector<float> same(32 * 32 * 3);
    augment_image(image.data(), h, w, {0, {0, 7, 32, 32, false}, whole_window(32, 32)}, mean, std, table.data(), same.data());
    for (size_t i = 0; i < same.size(); ++i) {
      const uint8_t pixel = image[static_cast<size_t>((static_cast<int64_t>(i) / 96 * w + 7) * 3) + i % 96];
      REQUIRE(same[i] == (static_cast<float>(pixel) / 255.0f - mean[i % 3]) / std[i % 3]);
    }
  });
}

TEST_CASE("crops are drawn by torchvision's rules") {
  const Augmentation how{0.08, 1.0, 0.75, 4.0 / 3, 0.5};
  double area = 0, flips = 0;
  constexpr int kDraws = 20'000;
  for (uint64_t i = 0; i < kDraws; ++i) {
    const Crop c = draw_view(how, 64, 64, 32, 5, 1, i).crop;
    REQUIRE((c.top >= 0 && c.left >= 0 && c.height > 0 && c.width > 0));
    REQUIRE((c.top + c.height <= 64 && c.left + c.width <= 64));
    REQUIRE(c.width / static_cast<double>(c.height) < 1.45);  // 4/3 after rounding to pixels
    area += static_cast<double>(c.width * c.height) / (64.0 * 64);
    flips += c.flip;
  }
  // Areas near 1 with a ratio off 1 do not fit and are drawn again, so the mean lies below 0.54 (numpy, 10^6 draws: 0.4842, sigma 0.237).
  CHECK(std::abs(area / kDraws - 0.4842) < 5 * 0.237 / std::sqrt(kDraws));
  CHECK(std::abs(flips / kDraws - 0.5) < 5 * 0.5 / std::sqrt(kDraws));
  const Augmentation impossible{1.0, 1.0 - 1e-9, 8, 8, 0};  // never fits: the largest central crop of ratio 8
  const Crop central = draw_view(impossible, 64, 64, 32, 0, 0, 0).crop;
  CHECK(central.width == 64);
  CHECK(central.height == 8);
  CHECK(central.top == 28);
  const View whole = draw_view({}, 64, 48, 32, 0, 0, 0);
  CHECK((whole.crop.height == 64 && whole.crop.width == 48 && !whole.crop.flip && whole.angle == 0));
}

TEST_CASE("a window of a resampled image is that part of the whole") {
  on_every_isa([] {
    const float mean[3] = {0.5f, 0.4f, 0.3f}, std[3] = {0.2f, 0.3f, 0.4f};
    std::vector<float> table(256 * 3);
    normalisation_table(mean, std, table.data());
    const int64_t h = 23, w = 31;
    std::vector<uint8_t> image(static_cast<size_t>(h * w * 3));
    for (size_t i = 0; i < image.size(); ++i) image[i] = static_cast<uint8_t>(i * 73 + i / 31);
    for (bool flip : {false, true}) {
      for (const int64_t resize : {17, 23, 50}) {
        const int64_t wide = resize * w / h;
        const Window all = whole_window(resize, wide), part{resize, wide, 3, 5, 13, 11};
        const Crop crop{0, 0, h, w, flip};
        std::vector<float> whole(static_cast<size_t>(resize * wide * 3)), seen(13 * 11 * 3);
        std::vector<double> seen64(seen.size());
        augment_image(image.data(), h, w, {0, crop, all}, mean, std, table.data(), whole.data());
        augment_image(image.data(), h, w, {0, crop, part}, mean, std, table.data(), seen.data());
        reference::crop_resize(image.data(), w, crop, part, mean, std, seen64.data());
        for (int64_t y = 0; y < 13; ++y) {
          for (int64_t x = 0; x < 33; ++x) {
            const int64_t column = flip ? wide - 5 - 11 + x / 3 : 5 + x / 3;
            const size_t here = static_cast<size_t>(y * 33 + x);
            REQUIRE(seen[here] == whole[static_cast<size_t>(((y + 3) * wide + column) * 3 + x % 3)]);
            REQUIRE(std::abs(seen[here] - seen64[here]) < 1e-4);
          }
        }
      }
    }
  });
}

TEST_CASE("rotation, resize and crop are drawn by torchvision's rules") {
  Augmentation how;
  how.flip = 0.5;
  how.rotation = 90;
  how.resize = 256;
  double angle = 0, square = 0, largest = 0, top = 0, left = 0;
  constexpr int kDraws = 20'000;
  for (uint64_t i = 0; i < kDraws; ++i) {
    const View v = draw_view(how, 64, 96, 224, 5, 1, i);
    REQUIRE((v.crop.top == 0 && v.crop.left == 0 && v.crop.height == 64 && v.crop.width == 96));
    REQUIRE((v.window.resized_h == 256 && v.window.resized_w == 384 && v.window.height == 224 && v.window.width == 224));
    REQUIRE((v.window.top >= 0 && v.window.top <= 32 && v.window.left >= 0 && v.window.left <= 160));
    angle += v.angle, square += v.angle * v.angle, largest = std::max(largest, std::abs(v.angle));
    top += static_cast<double>(v.window.top), left += static_cast<double>(v.window.left);
  }
  const double root = std::sqrt(kDraws);
  CHECK(std::abs(angle / kDraws) < 5 * 90 / std::sqrt(3) / root);
  CHECK(std::abs(square / kDraws / 2700 - 1) < 5 * std::sqrt(0.8) / root);
  CHECK((largest > 89 && largest <= 90));
  CHECK(std::abs(top / kDraws - 16) < 5 * 33 / std::sqrt(12) / root);
  CHECK(std::abs(left / kDraws - 80) < 5 * 161 / std::sqrt(12) / root);

  const View tall = draw_view(how, 101, 67, 224, 5, 1, 0);
  CHECK((tall.window.resized_h == 385 && tall.window.resized_w == 256));  // 385.9 is cut
  const View test = test_view(64, 64, 256, 224);
  CHECK((test.window.resized_h == 256 && test.window.top == 16 && test.window.left == 16 && test.angle == 0 && !test.crop.flip));
  CHECK(test_view(64, 64, 227, 224).window.top == 2);  // Python rounds 1.5 to 2
  CHECK(test_view(64, 64, 229, 224).window.top == 2);  // and 2.5 to 2
}

TEST_CASE("a rotation takes the nearest pixel, as torchvision's affine grid has it") {
  for (const auto& [h, w] : {std::pair<int64_t, int64_t>{1, 1}, {7, 7}, {8, 8}, {17, 9}, {64, 64}}) {
    std::vector<uint8_t> image(static_cast<size_t>(h * w * 3)), turned(image.size()), back(image.size());
    for (size_t i = 0; i < image.size(); ++i) image[i] = static_cast<uint8_t>(1 + (i * 73 + i / 31) % 255);
    const auto at = [&](const std::vector<uint8_t>& v, int64_t y, int64_t x) { return &v[static_cast<size_t>((y * w + x) * 3)]; };
    affine_nearest(image.data(), h, w, rotation(0), turned.data());
    CHECK(turned == image);
    if (h == w) {  // a quarter turn, counter-clockwise: the right column becomes the top row
      affine_nearest(image.data(), h, w, rotation(90), turned.data());
      for (int64_t i = 0; i < h; ++i) CHECK(std::equal(at(turned, 0, i), at(turned, 0, i) + 3, at(image, i, w - 1)));
      affine_nearest(turned.data(), h, w, rotation(-90), back.data());
      CHECK(back == image);
    }
    for (double degrees : {-77.7, 12.3, 45.1}) {  // torch: positions in [-1, 1] of the whole image, back to pixels
      affine_nearest(image.data(), h, w, rotation(degrees), turned.data());
      const double t = -degrees * 3.14159265358979323846 / 180;  // torchvision's rotate negates
      const double theta[2][2] = {{std::cos(t), std::sin(t)}, {-std::sin(t), std::cos(t)}};
      for (int64_t y = 0; y < h; ++y) {
        for (int64_t x = 0; x < w; ++x) {
          const double u = static_cast<double>(x) + 0.5 - 0.5 * static_cast<double>(w),
                       v = static_cast<double>(y) + 0.5 - 0.5 * static_cast<double>(h);
          const double gx = (theta[0][0] * u + theta[0][1] * v) / (0.5 * static_cast<double>(w));
          const double gy = (theta[1][0] * u + theta[1][1] * v) / (0.5 * static_cast<double>(h));
          const double sx = ((gx + 1) * static_cast<double>(w) - 1) / 2, sy = ((gy + 1) * static_cast<double>(h) - 1) / 2;
          if (std::abs(std::abs(sx - std::floor(sx)) - 0.5) < 1e-9 || std::abs(std::abs(sy - std::floor(sy)) - 0.5) < 1e-9) continue;
          const auto column = static_cast<int64_t>(std::nearbyint(sx)), row = static_cast<int64_t>(std::nearbyint(sy));
          const bool inside = column >= 0 && column < w && row >= 0 && row < h;
          const uint8_t black[3] = {0, 0, 0};
          REQUIRE(std::equal(at(turned, y, x), at(turned, y, x) + 3, inside ? at(image, row, column) : black));
        }
      }
    }
  }
}
