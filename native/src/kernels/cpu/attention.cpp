// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/attention.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/cpu/isa.h"
#include "kernels/cpu/product.h"

namespace motley::kernels {

MOTLEY_CHOOSE(attention, AttentionKernels)

namespace {

constexpr int64_t kWidest = 16;      // lanes
constexpr int64_t kState = 1 << 15;  // elements of the output, and of the queries, that stay in cache

}  // namespace

int64_t attention_queries(int64_t head, int64_t queries) {
  const int64_t most = std::max(kAttentionRows, kState / whole(head, kWidest) / kAttentionRows * kAttentionRows);
  return whole(up(queries, up(queries, most)), kAttentionRows);  // calls of one size
}

int64_t attention_scratch(int64_t head, int64_t queries) {
  const int64_t padded = whole(head, kWidest);
  return 2 * padded * kAttentionKeys                       // keys and values
         + kAttentionRows * kAttentionKeys                 // scores of a group of rows
         + (2 * padded + 2) * (queries + kAttentionRows);  // queries, output so far, largest score, sum of weights
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
