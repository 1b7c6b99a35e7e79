// SPDX-License-Identifier: Apache-2.0
// RandAugment's operations against float64 references written from torchvision's definitions, over awkward sizes.
#include "kernels/cpu/rand_augment.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

using namespace motley;
using namespace motley::kernels;

namespace {

constexpr double kPi = 3.14159265358979323846;

struct Picture {
  int64_t h, w;
  std::vector<uint8_t> bytes;
  double at(int64_t y, int64_t x, int64_t c) const { return bytes[static_cast<size_t>((y * w + x) * 3 + c)]; }
};

Picture picture(int64_t h, int64_t w) {
  Picture p{h, w, {}};
  for (int64_t i = 0; i < h * w * 3; ++i) p.bytes.push_back(static_cast<uint8_t>(20 + (i * 73 + i / 31 * 7) % 200));
  return p;
}

std::vector<uint8_t> applied(ImageOp op, float magnitude, const Picture& p) {
  std::vector<uint8_t> out(p.bytes.size());
  apply_op(op, magnitude, p.bytes.data(), p.h, p.w, out.data());
  return out;
}

double grey(const Picture& p, int64_t y, int64_t x) {
  return std::floor(0.2989 * p.at(y, x, 0) + 0.587 * p.at(y, x, 1) + 0.114 * p.at(y, x, 2) + 1e-5);  // 0.9999 of 255 in float32
}

// Every byte is the reference's, which is cut to a whole number; where that is within 1e-3 of one, its neighbour will do.
template <typename Reference>
void matches(const std::vector<uint8_t>& out, const Picture& p, const Reference& value) {
  for (int64_t y = 0; y < p.h; ++y) {
    for (int64_t x = 0; x < p.w; ++x) {
      for (int64_t c = 0; c < 3; ++c) {
        const double expected = std::clamp(static_cast<double>(value(y, x, c)), 0.0, 255.0);
        const int found = out[static_cast<size_t>((y * p.w + x) * 3 + c)];
        const bool right = found == static_cast<int>(expected - 1e-3) || found == static_cast<int>(expected) ||
                           found == static_cast<int>(std::min(255.0, expected + 1e-3));
        REQUIRE_MESSAGE(right, found << " for " << expected << " at " << y << ", " << x << ", " << c);
      }
    }
  }
}

// torchvision's _get_inverse_affine_matrix with scale 1, as a map of pixels from the centre of the image
void affine_matches(ImageOp op, float magnitude, const Picture& p, double angle, double tx, double ty, double sx, double sy, bool corner) {
  const double cx = corner ? -0.5 * static_cast<double>(p.w) : 0, cy = corner ? -0.5 * static_cast<double>(p.h) : 0;
  const double a = std::cos(angle - sy) / std::cos(sy), b = -std::cos(angle - sy) * std::tan(sx) / std::cos(sy) - std::sin(angle);
  const double c = std::sin(angle - sy) / std::cos(sy), d = -std::sin(angle - sy) * std::tan(sx) / std::cos(sy) + std::cos(angle);
  double m[6] = {d, -b, 0, -c, a, 0};
  m[2] += m[0] * (-cx - tx) + m[1] * (-cy - ty) + cx;
  m[5] += m[3] * (-cx - tx) + m[4] * (-cy - ty) + cy;
  const auto out = applied(op, magnitude, p);
  for (int64_t y = 0; y < p.h; ++y) {
    for (int64_t x = 0; x < p.w; ++x) {
      const double u = static_cast<double>(x) + 0.5 - 0.5 * static_cast<double>(p.w),
                   v = static_cast<double>(y) + 0.5 - 0.5 * static_cast<double>(p.h);
      const double from_x = m[0] * u + m[1] * v + m[2] + 0.5 * static_cast<double>(p.w) - 0.5;
      const double from_y = m[3] * u + m[4] * v + m[5] + 0.5 * static_cast<double>(p.h) - 0.5;
      const auto near_half = [](double at) { return std::abs(std::abs(at - std::floor(at)) - 0.5) < 1e-6; };
      if (near_half(from_x) || near_half(from_y)) continue;
      const auto column = static_cast<int64_t>(std::nearbyint(from_x)), row = static_cast<int64_t>(std::nearbyint(from_y));
      const bool inside = column >= 0 && column < p.w && row >= 0 && row < p.h;
      for (int64_t k = 0; k < 3; ++k) {
        REQUIRE(out[static_cast<size_t>((y * p.w + x) * 3 + k)] == (inside ? p.at(row, column, k) : 0));
      }
    }
  }
}

}  // namespace

TEST_CASE("RandAugment's operations are torchvision's") {
  for (const auto& [h, w] : {std::pair<int64_t, int64_t>{1, 1}, {2, 5}, {3, 3}, {17, 9}, {32, 32}, {64, 50}}) {
    CAPTURE(h);
    CAPTURE(w);
    const Picture p = picture(h, w);
    for (float m : {-0.9f, -0.27f, 0.0f, 0.27f, 0.9f}) {
      const double f = 1 + static_cast<double>(m);
      double mean = 0;
      for (int64_t i = 0; i < h * w; ++i) mean += grey(p, i / w, i % w) / static_cast<double>(h * w);
      matches(applied(ImageOp::brightness, m, p), p, [&](int64_t y, int64_t x, int64_t c) { return f * p.at(y, x, c); });
      matches(applied(ImageOp::color, m, p), p,
              [&](int64_t y, int64_t x, int64_t c) { return f * p.at(y, x, c) + (1 - f) * grey(p, y, x); });
      matches(applied(ImageOp::contrast, m, p), p, [&](int64_t y, int64_t x, int64_t c) { return f * p.at(y, x, c) + (1 - f) * mean; });
      matches(applied(ImageOp::sharpness, m, p), p, [&](int64_t y, int64_t x, int64_t c) {
        if (y == 0 || x == 0 || y == h - 1 || x == w - 1) return p.at(y, x, c);
        double sum = 0;
        for (int64_t j = y - 1; j <= y + 1; ++j) {
          for (int64_t i = x - 1; i <= x + 1; ++i) sum += (j == y && i == x ? 5 : 1) * p.at(j, i, c);
        }
        return f * p.at(y, x, c) + (1 - f) * std::nearbyint(sum / 13);
      });
    }
    for (int bits : {4, 5, 8}) {
      const double step = std::pow(2, 8 - bits);
      matches(applied(ImageOp::posterize, static_cast<float>(bits), p), p,
              [&](int64_t y, int64_t x, int64_t c) { return std::floor(p.at(y, x, c) / step) * step; });
    }
    for (float t : {0.0f, 100.5f, 255.0f}) {
      matches(applied(ImageOp::solarize, t, p), p, [&](int64_t y, int64_t x, int64_t c) {
        return p.at(y, x, c) >= static_cast<double>(t) ? 255 - p.at(y, x, c) : p.at(y, x, c);
      });
    }
    matches(applied(ImageOp::auto_contrast, 0, p), p, [&](int64_t y, int64_t x, int64_t c) {
      double least = 255, most = 0;
      for (int64_t i = 0; i < h * w; ++i) least = std::min(least, p.at(i / w, i % w, c)), most = std::max(most, p.at(i / w, i % w, c));
      return least == most ? p.at(y, x, c) : (p.at(y, x, c) - least) * 255 / (most - least);
    });
    matches(applied(ImageOp::equalize, 0, p), p, [&](int64_t y, int64_t x, int64_t c) {
      int64_t below = 0, of_largest = 0;
      double largest = 0;
      for (int64_t i = 0; i < h * w; ++i) largest = std::max(largest, p.at(i / w, i % w, c));
      for (int64_t i = 0; i < h * w; ++i) below += p.at(i / w, i % w, c) < p.at(y, x, c), of_largest += p.at(i / w, i % w, c) == largest;
      const int64_t step = (h * w - of_largest) / 255;
      return step == 0 ? p.at(y, x, c) : std::min(255.0, std::floor(static_cast<double>((below + step / 2) / step)));
    });
    CHECK(applied(ImageOp::identity, 0, p) == p.bytes);
    for (float m : {-0.3f, 0.09f, 0.21f}) {
      const double s = std::atan(static_cast<double>(m));
      affine_matches(ImageOp::shear_x, m, p, 0, 0, 0, s, 0, true);
      affine_matches(ImageOp::shear_y, m, p, 0, 0, 0, 0, s, true);
      affine_matches(ImageOp::translate_x, 30 * m, p, 0, std::trunc(30 * static_cast<double>(m)), 0, 0, 0, false);
      affine_matches(ImageOp::translate_y, 30 * m, p, 0, 0, std::trunc(30 * static_cast<double>(m)), 0, 0, false);
      affine_matches(ImageOp::rotate, 70 * m, p, -70 * static_cast<double>(m) * kPi / 180, 0, 0, 0, 0,
                     false);  // torchvision's rotate negates
    }
  }
}

TEST_CASE("equalize spreads a narrow histogram as Pillow does") {
  Picture p{32, 32, std::vector<uint8_t>(32 * 32 * 3)};
  for (size_t i = 0; i < p.bytes.size(); ++i) p.bytes[i] = static_cast<uint8_t>(100 + i / 3 % 4);  // four values, a quarter each
  const auto out = applied(ImageOp::equalize, 0, p);
  // step = 768 / 255 = 3; (k * 256 + 1) / 3
  for (size_t i = 0; i < out.size(); ++i) REQUIRE(out[i] == std::vector<int>{0, 85, 171, 255}[i / 3 % 4]);
}

TEST_CASE("RandAugment's magnitudes are torchvision's") {
  CHECK(op_magnitude(ImageOp::shear_x, 9, 32, 32) == doctest::Approx(0.09));
  CHECK(op_magnitude(ImageOp::translate_x, 30, 32, 64) == doctest::Approx(150.0 / 331 * 64));
  CHECK(op_magnitude(ImageOp::translate_y, 9, 32, 64) == doctest::Approx(150.0 / 331 * 32 * 0.3));
  CHECK(op_magnitude(ImageOp::rotate, 9, 32, 32) == doctest::Approx(9));
  CHECK(op_magnitude(ImageOp::contrast, 9, 32, 32) == doctest::Approx(0.27));
  CHECK(op_magnitude(ImageOp::solarize, 9, 32, 32) == doctest::Approx(178.5));
  for (const auto& [bin, bits] : {std::pair<int, float>{0, 8.0f}, {3, 8.0f}, {4, 7.0f}, {9, 7.0f}, {15, 6.0f}, {30, 4.0f}}) {
    CHECK(op_magnitude(ImageOp::posterize, bin, 32, 32) == bits);
  }
}

TEST_CASE("RandAugment draws every operation and both signs alike, from its stream alone") {
  const Picture p = picture(9, 9);
  std::vector<uint8_t> a = p.bytes, b = p.bytes, other(a.size());
  PhiloxStream one(5, 6, draws::kRandAugment), two(5, 6, draws::kRandAugment);
  rand_augment(2, 9, one, 9, 9, a.data(), other.data());
  rand_augment(2, 9, two, 9, 9, b.data(), other.data());
  CHECK(a == b);
  int changed = 0, white = 0;
  constexpr int kDraws = 2000;
  const std::vector<uint8_t> full(a.size(), 255);
  for (uint64_t i = 0; i < kDraws; ++i) {
    PhiloxStream random(5, i, draws::kRandAugment);
    a = p.bytes;
    rand_augment(1, 30, random, 9, 9, a.data(), other.data());
    changed += a != p.bytes;
    PhiloxStream again(5, i, draws::kRandAugment);
    a = full;
    rand_augment(1, 30, again, 9, 9, a.data(), other.data());
    white += a[(4 * 9 + 4) * 3] == 25;  // brightness by 0.1, of which every second one is
  }
  CHECK(std::abs(changed - kDraws * 12 / 14) < 5 * std::sqrt(kDraws * 12 / 14 * 2 / 14));  // equalize and identity leave so small an image
  CHECK(std::abs(white - kDraws / 28) < 5 * std::sqrt(kDraws / 28));
}
