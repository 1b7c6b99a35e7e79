// SPDX-License-Identifier: Apache-2.0
#include "ops/linear_path.h"

namespace motley::ops {

Cpu this_cpu() { return {kernels::cpu_has_avx512_bf16() || kernels::cpu_has_amx_bf16()}; }

Path choose_path(const Problem& problem, const Cpu& cpu) {
  // libtorch's bf16 products run on the bf16 units, which our kernels do not use: worth its call (and packing the weight
  // every time) unless the product is tiny.
  constexpr int64_t kWorthACall = 1 << 22;  // multiply-adds
  if (problem.dtype == DType::bf16 && cpu.bf16_units && problem.rows * problem.depth * problem.columns >= kWorthACall) {
    return Path::libtorch;
  }
  return Path::own;
}

}  // namespace motley::ops
