// SPDX-License-Identifier: Apache-2.0
#include "ops/attention.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "kernels/cpu/attention.h"
#include "kernels/cpu/pair_attention.h"
#include "kernels/cpu/short_attention.h"
#include "libtorch/parallel.h"
#include "ops/graph.h"
#include "ops/tape.h"
#include "ops/work.h"

namespace motley::ops {
namespace {

constexpr int64_t kFewTokens = 16;  // fewer are mostly padding to units that multiply pairs

struct Heads {
  const HeadView &q, &k, &v;
  int64_t count, size;
  bool causal;
  const int32_t* which;  // as attention()
};

template <typename T>
const T* elements(const HeadView& view) {
  return view.rows.data<T>() + view.column;
}

// Queries of one head of an image, and where they lie.
struct QueryBlock {
  kernels::AttentionShape shape;
  int64_t entry, head;  // whose keys and values
  int64_t query, out;   // the first element, from that of the view and of the result
};

// Calls run(block) for each block of at most `most` queries; worker makes a thread its run.
template <typename Worker>
void for_each_block(const Heads& h, int64_t most, const Worker& worker) {
  const int64_t images = h.q.rows.size(0), queries = h.q.rows.size(1), keys = h.k.rows.size(1);
  const int64_t qs = h.q.rows.size(2), ks = h.k.rows.size(2), vs = h.v.rows.size(2), os = h.count * h.size;
  const int64_t blocks = (queries + most - 1) / most;
  const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(h.size)));
  parallel_for(images * h.count * blocks, 1, [&](int64_t begin, int64_t end) {
    auto run = worker();
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i % blocks * most, head = i / blocks % h.count, image = i / blocks / h.count, row = image * queries + first;
      const kernels::AttentionShape shape = {std::min(most, queries - first), keys, h.size, qs, ks, vs, os, first, h.causal, scale};
      run(QueryBlock{shape, h.which == nullptr ? image : h.which[image], head, row * qs + head * h.size, row * os + head * h.size});
    }
  });
}

template <typename T>
void attend(const Heads& h, Tensor& out) {
  const T *q = elements<T>(h.q), *k = elements<T>(h.k), *v = elements<T>(h.v);
  T* to = out.data<T>();
  const int64_t queries = kernels::attention_queries(h.size, h.q.rows.size(1));
  for_each_block(h, queries, [&] {
    return [&, scratch = Tensor::empty({kernels::attention_scratch(h.size, queries)})](const QueryBlock& block) {
      const kernels::AttentionShape& shape = block.shape;
      const int64_t row = block.entry * shape.keys, column = block.head * h.size;
      kernels::attention_functions<T>().head(shape, q + block.query, k + row * shape.k_stride + column, v + row * shape.v_stride + column,
                                             to + block.out, scratch.template data<float>());
    };
  });
}

// On bf16 units: keys and values of each head are brought into pairs once, then queries are taken a block at a time.
void attend_in_pairs(const Heads& h, Tensor& out) {
  constexpr int64_t kQueries = 256;
  const int64_t entries = h.k.rows.size(0), keys = h.k.rows.size(1), ks = h.k.rows.size(2), vs = h.v.rows.size(2);
  const int64_t key_size = kernels::pair_keys_size(keys, h.size), value_size = kernels::pair_values_size(keys, h.size);
  const Tensor packed_keys = Tensor::empty({entries * h.count, key_size}, DType::bf16);
  const Tensor packed_values = Tensor::empty({entries * h.count, value_size}, DType::bf16);
  const bf16 *q = elements<bf16>(h.q), *k = elements<bf16>(h.k), *v = elements<bf16>(h.v);
  bf16 *kp = packed_keys.data<bf16>(), *vp = packed_values.data<bf16>(), *to = out.data<bf16>();
  parallel_for(entries * h.count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t row = i / h.count * keys, column = i % h.count * h.size;
      kernels::pack_pair_keys(k + row * ks + column, ks, keys, h.size, kp + i * key_size);
      kernels::pack_pair_values(v + row * vs + column, vs, keys, h.size, vp + i * value_size);
    }
  });
  for_each_block(h, kQueries, [&] {
    return [&, worker = std::make_unique<kernels::PairAttention>(h.size)](const QueryBlock& block) {
      const int64_t i = block.entry * h.count + block.head;
      worker->run(block.shape, q + block.query, {kp + i * key_size, vp + i * value_size}, to + block.out);
    };
  });
}

}  // namespace

Tensor attention(const HeadView& q, const HeadView& k, const HeadView& v, int64_t heads, int64_t head_size, bool causal,
                 const int32_t* which) {
  ensure(q.rows.dims() == 3 && k.rows.dims() == 3 && v.rows.dims() == 3 && k.rows.size(1) == v.rows.size(1), "attention of ",
         shown(q.rows.shape()), " to ", shown(k.rows.shape()));
  for (const HeadView* view : {&q, &k, &v}) {
    ensure(view->column + heads * head_size <= view->rows.size(2), "attention: heads beyond the row");
    ensure(view->rows.dtype() == q.rows.dtype(), "attention of mixed element types");
  }
  const Timed timed(which == nullptr ? "self attention" : "cross attention", [&] { return attention_work(q, k, heads, head_size); });
  Tensor out = Tensor::empty({q.rows.size(0), q.rows.size(1), heads * head_size}, q.rows.dtype());
  const Heads all = {q, k, v, heads, head_size, causal, which};
  if (q.rows.dtype() == DType::bf16 && kernels::pair_unit() != nullptr) {
    attend_in_pairs(all, out);
  } else {
    with_element(q.rows.dtype(), [&]<typename T>() { attend<T>(all, out); });
  }
  return out;
}

Tensor self_attention(const Tensor& qkv, int64_t heads, const Tensor& factors) {
  ensure(qkv.dims() == 3 && qkv.size(2) % (3 * heads) == 0, "self_attention of ", heads, " heads in ", shown(qkv.shape()));
  const int64_t n = qkv.size(0), tokens = qkv.size(1), width = qkv.size(2) / 3, head = width / heads;
  ensure(!factors || factors.shape() == Shape{n, heads, tokens, tokens}, "self_attention of ", shown(qkv.shape()),
         " with factors of another shape");
  Tape* tape = Tape::current();
  const bool taped = tape != nullptr && tape->wants(qkv);
  Tensor out;
  if (!taped && !factors && qkv.dtype() == DType::bf16 && kernels::pair_unit() && tokens > kFewTokens) {
    out = attention({qkv, 0}, {qkv, width}, {qkv, 2 * width}, heads, head, false);
  } else {
    out = Tensor::empty({n, tokens, width}, qkv.dtype());
    const Timed timed("self attention", [&] { return attention_work({qkv, 0}, {qkv, width}, heads, head); });
    const float* drop = factors ? factors.data<float>() : nullptr;
    with_element(qkv.dtype(),
                 [&]<typename T>() { kernels::self_attention<T>(n, tokens, heads, head, qkv.data<T>(), drop, out.data<T>()); });
  }
  if (Graph* graph = Graph::current()) graph->add("self_attention", {qkv}, out, {{"heads", heads}});
  if (taped) {
    tape->record(out, {qkv}, [=](Tape& t, const Tensor& dout) {
      const Tensor there = t.destination(qkv), dqkv = there ? there : Tensor::empty(qkv.shape(), qkv.dtype());
      const Timed timed("self attention backward", [&] { return attention_backward_work(qkv, heads); });
      with_element(qkv.dtype(), [&]<typename T>() {
        kernels::self_attention_backward<T>(n, tokens, heads, head, qkv.data<T>(), factors ? factors.data<float>() : nullptr,
                                            dout.data<T>(), dqkv.data<T>());
      });
      t.add(qkv, dqkv);
    });
  }
  return out;
}

}  // namespace motley::ops
