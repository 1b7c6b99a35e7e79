// SPDX-License-Identifier: Apache-2.0
// IEEE binary16: every pattern, and the floats around every border between two of them, in plain code and in each set's vectors.
#include "libtorch/convert.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "kernels/cpu/group_norm.h"
#include "libtorch/tensor.h"
#include "support/compare.h"

using namespace motley;
using namespace motley::test;

namespace {

constexpr int kPatterns = 1 << 16;

half pattern(int bits) { return {static_cast<uint16_t>(bits)}; }

// What a pattern means, by the standard's words.
double meaning(int bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const double magnitude = exponent == 31  ? (fraction == 0 ? INFINITY : NAN)
                           : exponent == 0 ? std::ldexp(fraction, -24)
                                           : std::ldexp(1024 + fraction, exponent - 25);
  return bits & 0x8000 ? -magnitude : magnitude;
}

// The nearest half, ties to even, as a number: by dividing by the distance of the halves around x.
double nearest(double x) {
  if (!std::isfinite(x)) return x;
  int exponent = 0;
  std::frexp(x, &exponent);
  const double unit = std::ldexp(1, std::max(exponent - 1, -14) - 10), rounded = std::nearbyint(x / unit) * unit;
  return std::abs(rounded) > 65504 ? std::copysign(INFINITY, x) : rounded;
}

bool same(double a, double b) { return std::isnan(a) ? std::isnan(b) : a == b && std::signbit(a) == std::signbit(b); }

// Each half, the number midway to the next, and the floats beside both; numbers beyond all halves and near zero; NaN.
std::vector<float> borders() {
  std::vector<float> values = {65519.996f, 65520,    65536,           1e5f,     1e30f,  3.4e38f, INFINITY,
                               NAN,        0x1p-25f, 0x1.000002p-25f, 0x1p-26f, 1e-45f, 1e-38f};
  for (int bits = 0; bits < 0x7bff; ++bits) {
    const auto low = static_cast<float>(meaning(bits)), high = static_cast<float>(meaning(bits + 1)), middle = (low + high) / 2;
    for (float x : {low, middle, high}) {
      for (float near : {std::nextafter(x, -1e9f), x, std::nextafter(x, 1e9f)}) values.push_back(near);
    }
  }
  const size_t count = values.size();
  for (size_t i = 0; i < count; ++i) values.push_back(-values[i]);
  return values;
}

size_t wrongly_rounded(const std::vector<float>& from, const half* to) {
  size_t wrong = 0;
  for (size_t i = 0; i < from.size(); ++i) wrong += !same(to_float(to[i]), nearest(from[i]));
  return wrong;
}

}  // namespace

TEST_CASE("every half becomes the float32 it means, and comes back") {
  int wrong = 0, changed = 0;
  for (int bits = 0; bits < kPatterns; ++bits) {
    const float x = to_float(pattern(bits));
    wrong += !same(x, meaning(bits));
    changed += !(std::isnan(x) ? std::isnan(to_float(from_float<half>(x))) : from_float<half>(x).bits == bits);
  }
  CHECK(wrong == 0);
  CHECK(changed == 0);
}

TEST_CASE("floats become the nearest half, ties to even, beyond 65504 infinity") {
  const auto values = borders();
  std::vector<half> halves;
  for (float x : values) halves.push_back(from_float<half>(x));
  CHECK(wrongly_rounded(values, halves.data()) == 0);
  convert(DType::f32, values.data(), DType::f16, halves.data(), static_cast<int64_t>(values.size()));
  CHECK(wrongly_rounded(values, halves.data()) == 0);
}

TEST_CASE("vectors load and store halves as plain code does") {
  const auto values = borders();
  std::vector<half> all, ones(values.size(), from_float<half>(1));
  for (int bits = 0; bits < kPatterns; ++bits) all.push_back(pattern(bits));
  const std::vector<float> one(kPatterns, 1.0f), zero(std::max<size_t>(values.size(), kPatterns), -0.0f);
  on_every_isa([&] {
    const auto& kernel = kernels::group_norm_functions<half>();  // y = x * scale + offset
    std::vector<half> same_halves(all.size()), rounded(values.size());
    kernel.apply(all.data(), same_halves.data(), 1, kPatterns, kPatterns, kPatterns, one.data(), zero.data(), false);
    int changed = 0;
    for (int bits = 0; bits < kPatterns; ++bits) {
      const half got = same_halves[static_cast<size_t>(bits)];
      changed += !(std::isnan(meaning(bits)) ? std::isnan(to_float(got)) : got.bits == bits);
    }
    CHECK(changed == 0);
    const auto n = static_cast<int64_t>(values.size());
    kernel.apply(ones.data(), rounded.data(), 1, n, n, n, values.data(), zero.data(), false);
    CHECK(wrongly_rounded(values, rounded.data()) == 0);
  });
}

TEST_CASE("conversions from and to halves, of any type and length") {
  for (int64_t n : {1, 3, 17, 64, 100, 70000}) {
    std::vector<double> doubles;
    std::vector<int64_t> whole;
    std::vector<uint8_t> bytes;
    for (int64_t i = 0; i < n; ++i) {
      doubles.push_back(static_cast<double>(i % 4001 - 2000) / 16);
      whole.push_back(i % 4001 - 2000);
      bytes.push_back(static_cast<uint8_t>(i % 256));
    }
    std::vector<half> halves(doubles.size());
    std::vector<float> floats(doubles.size());
    auto through_halves = [&](DType from, const void* in) {
      convert(from, in, DType::f16, halves.data(), n);
      convert(DType::f16, halves.data(), DType::f32, floats.data(), n);
      return floats;
    };
    CHECK(through_halves(DType::f64, doubles.data()) == std::vector<float>(doubles.begin(), doubles.end()));
    CHECK(through_halves(DType::i64, whole.data()) == std::vector<float>(whole.begin(), whole.end()));
    CHECK(through_halves(DType::u8, bytes.data()) == std::vector<float>(bytes.begin(), bytes.end()));
    std::vector<double> back(doubles.size());
    convert(DType::f16, halves.data(), DType::f64, back.data(), n);
    CHECK(back == std::vector<double>(bytes.begin(), bytes.end()));
    std::vector<bf16> narrow(doubles.size());
    convert(DType::f16, halves.data(), DType::bf16, narrow.data(), n);  // whole numbers up to 255 fit
    convert(DType::bf16, narrow.data(), DType::f64, back.data(), n);
    CHECK(back == std::vector<double>(bytes.begin(), bytes.end()));
  }
}
