// SPDX-License-Identifier: Apache-2.0
#include "trainer/images.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "kernels/philox.h"

namespace motley {

namespace {

std::vector<int32_t> permutation(int64_t n, kernels::PhiloxStream random) {
  std::vector<int32_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(static_cast<uint32_t>(i))]);
  return order;
}

}  // namespace

std::vector<int32_t> kept_images(uint64_t seed, int64_t n, int64_t held_out) {
  std::vector<int32_t> kept = permutation(n, kernels::PhiloxStream(seed, 0, kernels::draws::kHeldOut));
  kept.resize(static_cast<size_t>(n - held_out));
  std::sort(kept.begin(), kept.end());
  return kept;
}

std::vector<int32_t> epoch_order(uint64_t seed, uint64_t epoch, int64_t n) {
  return permutation(n, kernels::PhiloxStream(seed, epoch, kernels::draws::kOrder));
}

}  // namespace motley
