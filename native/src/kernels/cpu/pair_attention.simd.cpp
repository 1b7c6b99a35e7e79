// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/pair_attention.h"

#include "kernels/cpu/online_softmax.h"

namespace motley::kernels::MOTLEY_ISA {
namespace {

void soften_rows(const float* scores, int64_t stride, int64_t rows, int64_t n, const int64_t* seen, float factor, float* largest,
                 float* total, bf16* weights, float* output, int64_t columns) {
  for (int64_t r = 0; r < rows; ++r) {
    const float keep = soften(scores + r * stride, factor, n, seen[r], 32, largest + r, total + r, weights + r * stride);
    if (output == nullptr || keep == 1.0f) continue;
    float* row = output + r * columns;
    for (int64_t c = 0; c < columns; c += kLanes) store(row + c, load(row + c) * keep);
  }
}

void finish(const float* output, int64_t columns, const float* total, int64_t rows, int64_t head, bf16* out, int64_t out_stride) {
  for (int64_t r = 0; r < rows; ++r) {
    const Vec share = splat(1.0f / total[r]);
    for_each_vector(head, [&]<bool kWhole>(int64_t c, int64_t n) {
      put<kWhole>(out + r * out_stride + c, get<kWhole>(output + r * columns + c, n) * share, n);
    });
  }
}

}  // namespace

const PairAttentionKernels& pair_attention_kernels() {
  static constexpr PairAttentionKernels kernels = {soften_rows, finish};
  return kernels;
}

}  // namespace motley::kernels::MOTLEY_ISA
