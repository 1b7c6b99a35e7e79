// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/attention.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/cpu/isa.h"

namespace motley::kernels {

MOTLEY_CHOOSE(attention, AttentionKernels)

int64_t attention_scratch(int64_t head) {
  constexpr int64_t kRows = kAttentionRows, kWidest = 16;
  const int64_t padded = (head + kWidest - 1) / kWidest * kWidest;
  return padded * kAttentionKeys                 // transposed keys
         + padded * kAttentionKeys               // values, where they must be padded
         + kRows * (kAttentionKeys + padded)     // scores and queries of a group of rows
         + (padded + 2) * (kAttentionQueries + kRows);  // output so far, largest score, sum of weights
}

namespace reference {

void attention(const AttentionShape& shape, const float* q, const float* k, const float* v, double* out) {
  std::vector<double> weights(static_cast<size_t>(shape.keys));
  for (int64_t i = 0; i < shape.queries; ++i) {
    const int64_t keys = shape.causal ? std::min(shape.keys, shape.first_query + i + 1) : shape.keys;
    double largest = -INFINITY, total = 0;
    for (int64_t j = 0; j < keys; ++j) {
      double dot = 0;
      for (int64_t c = 0; c < shape.head; ++c) dot += static_cast<double>(q[i * shape.q_stride + c]) * k[j * shape.k_stride + c];
      weights[static_cast<size_t>(j)] = dot * shape.scale;
      largest = std::max(largest, dot * shape.scale);
    }
    for (int64_t j = 0; j < keys; ++j) total += weights[static_cast<size_t>(j)] = std::exp(weights[static_cast<size_t>(j)] - largest);
    for (int64_t c = 0; c < shape.head; ++c) {
      double value = 0;
      for (int64_t j = 0; j < keys; ++j) value += weights[static_cast<size_t>(j)] * v[j * shape.v_stride + c];
      out[i * shape.head + c] = value / total;
    }
  }
}

}  // namespace reference
}  // namespace motley::kernels
