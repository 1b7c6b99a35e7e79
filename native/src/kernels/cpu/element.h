// SPDX-License-Identifier: Apache-2.0
// A kernel family for each type that activations are stored as. Arithmetic is float32 in all of them.
#pragma once

#include <type_traits>

#include "libtorch/bf16.h"

namespace motley::kernels {

template <template <typename> class Functions>
struct ByElement {
  Functions<float> f32;
  Functions<bf16> b16;
  Functions<half> f16;

  template <typename T>
  const Functions<T>& of() const {
    if constexpr (std::is_same_v<T, float>)
      return f32;
    else if constexpr (std::is_same_v<T, bf16>)
      return b16;
    else
      return f16;
  }
};

}  // namespace motley::kernels
