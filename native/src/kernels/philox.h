// SPDX-License-Identifier: Apache-2.0
// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a counter-based
// generator. Word i of a stream is a pure function of (seed, stream, position): nothing depends on order or threads.
#pragma once

#include <cmath>
#include <cstdint>

namespace motley::kernels {

struct Words {
  uint32_t w[4];
};

/// One block of four words: key = seed, counter = (low, high), both as 64-bit numbers, low word first.
inline Words philox(uint64_t seed, uint64_t low, uint64_t high) {
  uint32_t k0 = static_cast<uint32_t>(seed), k1 = static_cast<uint32_t>(seed >> 32);
  uint32_t c0 = static_cast<uint32_t>(low), c1 = static_cast<uint32_t>(low >> 32);
  uint32_t c2 = static_cast<uint32_t>(high), c3 = static_cast<uint32_t>(high >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53u} * c0, b = uint64_t{0xCD9E8D57u} * c2;
    c0 = static_cast<uint32_t>(b >> 32) ^ c1 ^ k0;
    c1 = static_cast<uint32_t>(b);
    c2 = static_cast<uint32_t>(a >> 32) ^ c3 ^ k1;
    c3 = static_cast<uint32_t>(a);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

/// The upper 24 bits as a number in [0, 1), exact in float32.
inline double unit(uint32_t word) { return static_cast<double>(word >> 8) * 0x1p-24; }

/// Two words -> two independent normals (Box-Muller). The radius takes all 32 bits, in (0, 1]: tails to 6.7 sigma.
inline void box_muller(uint32_t a, uint32_t b, double& first, double& second) {
  constexpr double kTwoPi = 6.283185307179586476925;
  const double radius = std::sqrt(-2.0 * std::log((static_cast<double>(a) + 1.0) * 0x1p-32));
  const double angle = kTwoPi * (static_cast<double>(b) * 0x1p-32);
  first = radius * std::cos(angle);
  second = radius * std::sin(angle);
}

/// What a training draws from one seed, apart from each other: the upper half of the counter's low number.
namespace draws {
constexpr uint32_t kInitialise = 0, kOrder = 1, kAugment = 2, kStochastic = 3, kHeldOut = 4, kMix = 5, kRandAugment = 6;
}

/// A stream of words read in order: (seed, stream) names it, `draw` separates uses of one stream.
class PhiloxStream {
 public:
  PhiloxStream(uint64_t seed, uint64_t stream, uint32_t draw = 0) : seed_(seed), stream_(stream), draw_(draw) {}

  uint32_t next() {
    if (used_ == 4) {
      block_ = philox(seed_, (static_cast<uint64_t>(draw_) << 32) | position_++, stream_);
      used_ = 0;
    }
    return block_.w[used_++];
  }
  /// In [0, 1), 53 bits.
  double uniform() {
    const uint64_t a = next() >> 5, b = next() >> 6;
    return static_cast<double>(a * 67108864u + b) * 0x1p-53;
  }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Uniform in [0, n), without bias: the multiplication method with rejection (Lemire 2019).
  uint32_t below(uint32_t n) {
    uint64_t product = uint64_t{next()} * n;
    const uint32_t threshold = static_cast<uint32_t>(-n) % n;
    while (static_cast<uint32_t>(product) < threshold) product = uint64_t{next()} * n;
    return static_cast<uint32_t>(product >> 32);
  }

 private:
  uint64_t seed_, stream_;
  uint32_t draw_, position_ = 0;
  Words block_{};
  int used_ = 4;
};

}  // namespace motley::kernels
