// SPDX-License-Identifier: Apache-2.0
// The bf16 units that any CPU computes: a plain one, and those written out instruction by instruction (CMakeLists.txt).
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <utility>

#include "kernels/cpu/isa.h"
#include "kernels/cpu/pairs.h"

namespace motley::kernels::amx_emulated {
const PairUnit& pair_unit();
}
namespace motley::kernels::avx512_bf16_emulated {
const PairUnit& pair_unit();
}

namespace motley::test {

namespace plain {

inline void nothing() {}

inline void multiply(const bf16* a, int64_t a_stride, int rows, const bf16* const* panels, int count, int64_t depth, float* sums,
                     int64_t stride, bool add) {
  constexpr int64_t kWide = kernels::Panels::kPairColumns;
  for (int r = 0; r < rows; ++r) {
    for (int64_t j = 0; j < count * kWide; ++j) {
      const bf16* column = panels[j / kWide] + 2 * (j % kWide);
      float sum = add ? sums[r * stride + j] : 0.0f;
      for (int64_t k = 0; k < depth; ++k) sum = std::fma(to_float(a[r * a_stride + k]), to_float(column[k / 2 * 2 * kWide + k % 2]), sum);
      sums[r * stride + j] = sum;
    }
  }
}

/// Its sums go from the first product to the last: what the others' are compared with.
inline constexpr kernels::PairUnit unit = {8, 4, 64, nothing, nothing, multiply};

}  // namespace plain

/// Runs body on each unit, and on the CPU's own where it has one.
template <typename Body>
void for_each_unit(const Body& body) {
  const std::pair<const char*, const kernels::PairUnit*> units[] = {
      {"plain", &plain::unit}, {"amx", &kernels::amx_emulated::pair_unit()}, {"avx512_bf16", &kernels::avx512_bf16_emulated::pair_unit()}};
  for (const auto& [name, unit] : units) {
    CAPTURE(name);
    kernels::use_pair_unit(unit);
    body();
  }
  kernels::use_pair_unit(nullptr);
  for (kernels::Isa isa : {kernels::Isa::avx512_bf16, kernels::Isa::amx}) {
    if (isa > kernels::best_isa()) continue;
    CAPTURE(kernels::name_of(isa));
    kernels::limit_isa(isa);
    body();
  }
  kernels::limit_isa(kernels::kAnyIsa);
}

}  // namespace motley::test
