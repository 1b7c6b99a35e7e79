// SPDX-License-Identifier: Apache-2.0
#include "kernels/philox.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using namespace motley::kernels;

TEST_CASE("Philox4x32-10 gives the known answers of Random123") {
  const Words zero = philox(0, 0, 0);
  CHECK(zero.w[0] == 0x6627e8d5u);
  CHECK(zero.w[1] == 0xe169c58du);
  CHECK(zero.w[2] == 0xbc57ac4cu);
  CHECK(zero.w[3] == 0x9b00dbd8u);
  const Words ones = philox(~0ull, ~0ull, ~0ull);
  CHECK(ones.w[0] == 0x408f276du);
  CHECK(ones.w[1] == 0x41c83b0eu);
  CHECK(ones.w[2] == 0xa20bc7c6u);
  CHECK(ones.w[3] == 0x6d5451fdu);
  // counter 243f6a88 85a308d3 13198a2e 03707344, key a4093822 299f31d0
  const Words pi = philox(0x299f31d0a4093822ull, 0x85a308d3243f6a88ull, 0x0370734413198a2eull);
  CHECK(pi.w[0] == 0xd16cfe09u);
  CHECK(pi.w[1] == 0x94fdccebu);
  CHECK(pi.w[2] == 0x5001e420u);
  CHECK(pi.w[3] == 0x24126ea1u);
}

TEST_CASE("Box-Muller normals have the moments of a normal") {
  constexpr int kPairs = 100'000;
  double sum = 0, squares = 0, fourth = 0;
  for (uint64_t i = 0; i < kPairs; ++i) {
    const Words words = philox(7, i, 3);
    double a = 0, b = 0;
    box_muller(words.w[0], words.w[1], a, b);
    for (double x : {a, b}) {
      sum += x;
      squares += x * x;
      fourth += x * x * x * x;
    }
  }
  const double n = 2.0 * kPairs;  // bounds: 5 standard errors
  CHECK(std::abs(sum / n) < 5 / std::sqrt(n));
  CHECK(std::abs(squares / n - 1) < 5 * std::sqrt(2 / n));
  CHECK(std::abs(fourth / n - 3) < 5 * std::sqrt(96 / n));
}

TEST_CASE("a stream draws uniformly below any bound, and streams differ") {
  PhiloxStream stream(1, 2);
  std::vector<int> counts(7, 0);
  for (int i = 0; i < 70'000; ++i) ++counts[stream.below(7)];
  for (int count : counts) CHECK(std::abs(count - 10'000) < 5 * 93);  // sigma = sqrt(70000 * 6/49)
  CHECK(PhiloxStream(1, 2).next() != PhiloxStream(1, 3).next());
  CHECK(PhiloxStream(1, 2).next() != PhiloxStream(2, 2).next());
  CHECK(PhiloxStream(1, 2, 1).next() != PhiloxStream(1, 2).next());
  double sum = 0;
  for (int i = 0; i < 10'000; ++i) sum += stream.uniform(-1, 3);
  CHECK(std::abs(sum / 10'000 - 1) < 5 * 4 / std::sqrt(12 * 10'000.0));
}
