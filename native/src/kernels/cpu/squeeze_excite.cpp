// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/squeeze_excite.h"

#include <algorithm>

namespace motley::kernels {

MOTLEY_CHOOSE(squeeze_excite, SqueezeExciteKernels)

template <>
const SqueezeExciteLoops<float>& squeeze_excite_loops<float>() {
  return squeeze_excite_kernels().f32;
}
template <>
const SqueezeExciteLoops<bf16>& squeeze_excite_loops<bf16>() {
  return squeeze_excite_kernels().b16;
}

namespace reference {

void excite(const double* x, const double* s, int64_t pixels, int64_t channels, double* y) {
  for (int64_t i = 0; i < pixels * channels; ++i) y[i] = x[i] * std::clamp(s[i % channels] + 3, 0.0, 6.0) / 6;
}

void excite_backward(const double* dy, const double* x, const double* s, int64_t pixels, int64_t channels, double* dx, double* ds) {
  excite(dy, s, pixels, channels, dx);
  std::fill_n(ds, channels, 0.0);
  for (int64_t i = 0; i < pixels * channels; ++i) {
    const int64_t c = i % channels;
    if (s[c] > -3 && s[c] < 3) ds[c] += dy[i] * x[i] / 6;
  }
}

}  // namespace reference
}  // namespace motley::kernels
