// SPDX-License-Identifier: Apache-2.0
// Images packed as uint8, in memory or in a mapped file, and the order in which an epoch takes them.
#pragma once

#include <cstdint>
#include <vector>

namespace motley {

struct Images {
  int64_t n, height, width;
  const uint8_t* pixels;  // (n, height, width, 3); not owned
  std::vector<int32_t> labels;

  const uint8_t* at(int64_t image) const { return pixels + image * height * width * 3; }
};

/// What is left of [0, n), in order, when `held_out` of them are drawn by the seed and left out: torch's random_split with Philox.
std::vector<int32_t> kept_images(uint64_t seed, int64_t n, int64_t held_out);

/// A permutation of [0, n): Fisher-Yates with Philox by (seed, epoch).
std::vector<int32_t> epoch_order(uint64_t seed, uint64_t epoch, int64_t n);

}  // namespace motley
