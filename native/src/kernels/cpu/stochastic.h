// SPDX-License-Identifier: Apache-2.0
// Factors of inverted dropout: 0 with probability p, else 1 / (1 - p). Element i of a layer depends on (seed, step, layer, i) only.
#pragma once

#include <cstdint>

namespace motley::kernels {

/// factors (n). p in [0, 1); layer < 2^16, step < 2^48.
void dropout_factors(uint64_t seed, uint64_t step, uint32_t layer, double p, int64_t n, float* factors);

}  // namespace motley::kernels
