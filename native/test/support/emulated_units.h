// SPDX-License-Identifier: Apache-2.0
// The bf16 units that are written out instruction by instruction (CMakeLists.txt): any CPU computes what they do.
#pragma once

#include "kernels/cpu/pairs.h"

namespace motley::kernels::amx_emulated {
const PairUnit& pair_unit();
}
namespace motley::kernels::avx512_bf16_emulated {
const PairUnit& pair_unit();
}
