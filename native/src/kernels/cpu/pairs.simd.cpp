// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/pairs.h"

#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/vec.h"

namespace motley::kernels::MOTLEY_ISA {
namespace {

void finish(const PairTile& tile, const PairOutput& shared) {
  const PairOutput out = shared;  // its own: stores cannot change it
  with_activation(out.activation, [&]<Activation activation>() {
    for (int64_t r = 0; r < tile.rows; ++r) {
      const float* sums = tile.sums + r * tile.stride;
      const int64_t place = tile.out[r] + tile.column;
      const float* image = out.per_image ? out.per_image + tile.image[r] * tile.columns + tile.column : nullptr;
      for_each_vector(tile.width, [&]<bool kWhole>(int64_t j, int64_t n) {
        Vec y = get<kWhole>(sums + j, n);
        if (out.bias) y += get<kWhole>(out.bias + tile.column + j, n);
        if (image) y += get<kWhole>(image + j, n);
        if (out.residual) y += get<kWhole>(out.residual + place + j, n);
        put<kWhole>(out.data + place + j, activate<activation>(y), n);
      });
    }
  });
}

}  // namespace

const PairKernels& pair_kernels() {
  static constexpr PairKernels kernels = {finish};
  return kernels;
}

}  // namespace motley::kernels::MOTLEY_ISA
