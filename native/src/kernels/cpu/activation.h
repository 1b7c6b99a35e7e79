// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace motley::kernels {

/// gelu: the exact one, x Phi(x). hard_swish: x * min(max(x + 3, 0), 6) / 6.
enum class Activation { none, silu, relu, gelu, quick_gelu, hard_swish };

}  // namespace motley::kernels
