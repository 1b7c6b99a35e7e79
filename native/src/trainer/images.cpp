// SPDX-License-Identifier: Apache-2.0
#include "trainer/images.h"

#include <numeric>
#include <utility>

#include "kernels/philox.h"

namespace motley {

std::vector<int32_t> epoch_order(uint64_t seed, uint64_t epoch, int64_t n) {
  std::vector<int32_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  kernels::PhiloxStream random(seed, epoch, kernels::draws::kOrder);
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(static_cast<uint32_t>(i))]);
  return order;
}

}  // namespace motley
