// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/stochastic.h"

#include <cmath>

#include "kernels/philox.h"
#include "libtorch/parallel.h"

namespace motley::kernels {

void dropout_factors(uint64_t seed, uint64_t step, uint32_t layer, double p, int64_t n, float* factors) {
  const auto kept = static_cast<float>(1 / (1 - p));
  const auto below = static_cast<uint64_t>(std::nearbyint(p * 0x1p32));  // a word is uniform in [0, 2^32)
  parallel_for((n + 3) / 4, 1 << 12, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const uint64_t low = uint64_t{draws::kStochastic} << 32 | static_cast<uint64_t>(block);
      const Words words = philox(seed, low, step << 16 | layer);
      for (int64_t i = 0; i < 4 && 4 * block + i < n; ++i) factors[4 * block + i] = words.w[i] < below ? 0.0f : kept;
    }
  });
}

}  // namespace motley::kernels
