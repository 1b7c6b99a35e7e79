// SPDX-License-Identifier: Apache-2.0
// A row's softmax over tiles of keys, one after the other, without its weights ever being there all at once. Only included by
// *.simd.cpp files.
#pragma once

#include "kernels/cpu/attention.h"
#include "kernels/cpu/vec.h"

namespace motley::kernels::MOTLEY_ISA {

/// One row's scores of a tile, times `factor`, become weights 2^(score - largest); returns by how much what was summed before
/// shrinks. Only the first `seen` of n keys count. weights: n up to a multiple of `multiple`, 0 beyond `seen`; may be the scores
/// themselves, which can be read as far.
template <typename W>
inline float soften(const float* scores, float factor, int64_t n, int64_t seen, int64_t multiple, float* largest, float* total,
                    W* weights) {
  IVec lane;
  for (int i = 0; i < kLanes; ++i) lane[i] = i;
  const int64_t whole = seen / kLanes * kLanes, padded = (n + multiple - 1) / multiple * multiple;
  const auto rest = static_cast<int32_t>(seen - whole);
  Vec most = splat(*largest);
  for (int64_t j = 0; j < whole; j += kLanes) most = max(most, load(scores + j) * factor);
  if (rest > 0) most = max(most, select(lane < rest, load(scores + whole) * factor, splat(kMasked)));
  const float m = tree_max(most);
  Vec sums = {};
  for (int64_t j = 0; j < whole; j += kLanes) {
    const Vec w = exp2_falling(load(scores + j) * factor - m);
    store(weights + j, w);
    sums += w;
  }
  int64_t j = whole;
  if (rest > 0) {
    const Vec w = select(lane < rest, exp2_falling(load(scores + j) * factor - m), splat(0.0f));
    store(weights + j, w);
    sums += w;
    j += kLanes;
  }
  for (; j < padded; j += kLanes) store(weights + j, splat(0.0f));
  const bool first = !(*largest > kMasked);
  const float keep = first ? 0.0f : exp2_falling(splat(*largest - m))[0];
  *largest = m;
  *total = *total * keep + tree_sum(sums);
  return keep;
}

}  // namespace motley::kernels::MOTLEY_ISA
