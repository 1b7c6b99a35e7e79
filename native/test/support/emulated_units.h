// SPDX-License-Identifier: Apache-2.0
// The bf16 units that are written out instruction by instruction (CMakeLists.txt): any CPU computes what they do.
#pragma once

#include <doctest/doctest.h>

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

/// Runs body on each unit, and on the CPU's own where it has one.
template <typename Body>
void for_each_unit(const Body& body) {
  const std::pair<const char*, const kernels::PairUnit*> units[] = {{"plain", &kernels::plain_pair_unit()},
                                                                    {"amx", &kernels::amx_emulated::pair_unit()},
                                                                    {"avx512_bf16", &kernels::avx512_bf16_emulated::pair_unit()}};
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
