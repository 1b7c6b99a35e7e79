// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/short_attention.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/cpu/isa.h"
#include "kernels/cpu/product.h"
#include "kernels/cpu/scratch.h"
#include "libtorch/parallel.h"

namespace motley::kernels {

MOTLEY_CHOOSE(short_attention, ShortAttentionKernels)

namespace {

constexpr int64_t kWidest = 16;    // lanes
constexpr int64_t kQueries = 128;  // at once, at most

SelfAttentionShape shape_of(int64_t tokens, int64_t heads, int64_t head) {
  return {tokens, head, 3 * heads * head, heads * head, static_cast<float>(1 / std::sqrt(static_cast<double>(head)))};
}

// Where a head begins in the rows of qkv and of out, and its factors.
struct Head {
  int64_t in, out, factors;
};

// Calls run(head, scratch) for every head of every image.
template <typename Run>
void for_each_head(int64_t images, int64_t heads, const SelfAttentionShape& s, int64_t scratch, const Run& run) {
  parallel_for(images * heads, 1, [&](int64_t begin, int64_t end) {
    const Scratch own(scratch);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t row = i / heads * s.tokens, column = i % heads * s.head;
      run(Head{row * s.stride + column, row * s.out_stride + column, i * s.tokens * s.tokens}, own.data());
    }
  });
}

}  // namespace

int64_t short_attention_queries(int64_t tokens) { return up(tokens, up(tokens, kQueries)); }

int64_t short_attention_scratch(int64_t tokens, int64_t head) {
  const int64_t width = whole(head, kWidest), keys = whole(tokens, kWidest), queries = short_attention_queries(tokens);
  return 2 * width * keys + queries * (2 * width + keys);  // keys, values; queries, result, weights
}

int64_t short_attention_backward_scratch(int64_t tokens, int64_t head) {
  const int64_t width = whole(head, kWidest), keys = whole(tokens, kWidest), queries = short_attention_queries(tokens);
  return 5 * width * keys +
         queries * (3 * width + 2 * keys);  // keys twice, values, two gradients; queries, two gradients; weights and theirs
}

template <typename T>
void self_attention(int64_t images, int64_t tokens, int64_t heads, int64_t head, const T* qkv, const float* factors, T* out) {
  const SelfAttentionShape s = shape_of(tokens, heads, head);
  const int64_t each = heads * head;
  for_each_head(images, heads, s, short_attention_scratch(tokens, head), [&](const Head& h, float* scratch) {
    const T* q = qkv + h.in;
    short_attention_kernels().of<T>().forward(s, q, q + each, q + 2 * each, factors == nullptr ? nullptr : factors + h.factors, out + h.out,
                                              scratch);
  });
}

template <typename T>
void self_attention_backward(int64_t images, int64_t tokens, int64_t heads, int64_t head, const T* qkv, const float* factors, const T* dout,
                             T* dqkv) {
  const SelfAttentionShape s = shape_of(tokens, heads, head);
  const int64_t each = heads * head;
  for_each_head(images, heads, s, short_attention_backward_scratch(tokens, head), [&](const Head& h, float* scratch) {
    const T* q = qkv + h.in;
    T* dq = dqkv + h.in;
    short_attention_kernels().of<T>().backward(s, q, q + each, q + 2 * each, factors == nullptr ? nullptr : factors + h.factors,
                                               dout + h.out, dq, dq + each, dq + 2 * each, scratch);
  });
}

#define MOTLEY_INSTANTIATE(T)                                                                      \
  template void self_attention<T>(int64_t, int64_t, int64_t, int64_t, const T*, const float*, T*); \
  template void self_attention_backward<T>(int64_t, int64_t, int64_t, int64_t, const T*, const float*, const T*, T*);
MOTLEY_INSTANTIATE(float)
MOTLEY_INSTANTIATE(bf16)
MOTLEY_INSTANTIATE(half)
#undef MOTLEY_INSTANTIATE

namespace reference {

void self_attention_backward(int64_t tokens, int64_t head, const double* q, const double* k, const double* v, const double* factors,
                             const double* dout, double* dq, double* dk, double* dv) {
  const double scale = 1 / std::sqrt(static_cast<double>(head));
  const auto dot = [head](const double* a, const double* b) {
    double sum = 0;
    for (int64_t c = 0; c < head; ++c) sum += a[c] * b[c];
    return sum;
  };
  const auto add = [head](double by, const double* from, double* to) {
    for (int64_t c = 0; c < head; ++c) to[c] += by * from[c];
  };
  for (double* gradient : {dq, dk, dv}) std::fill_n(gradient, tokens * head, 0.0);
  std::vector<double> weights(static_cast<size_t>(tokens)), slopes(weights);
  for (int64_t i = 0; i < tokens; ++i) {
    double largest = -INFINITY, total = 0, mean = 0;
    for (int64_t j = 0; j < tokens; ++j)
      largest = std::max(largest, weights[static_cast<size_t>(j)] = scale * dot(q + i * head, k + j * head));
    for (double& w : weights) total += w = std::exp(w - largest);
    for (double& w : weights) w /= total;
    for (int64_t j = 0; j < tokens; ++j) {
      const auto at = static_cast<size_t>(j);
      const double factor = factors == nullptr ? 1 : factors[i * tokens + j];
      slopes[at] = factor * dot(dout + i * head, v + j * head);
      mean += weights[at] * slopes[at];
      add(factor * weights[at], dout + i * head, dv + j * head);
    }
    for (int64_t j = 0; j < tokens; ++j) {
      const double slope = scale * weights[static_cast<size_t>(j)] * (slopes[static_cast<size_t>(j)] - mean);
      add(slope, k + j * head, dq + i * head);
      add(slope, q + i * head, dk + j * head);
    }
  }
}

}  // namespace reference
}  // namespace motley::kernels
