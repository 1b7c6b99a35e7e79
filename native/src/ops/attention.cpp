// SPDX-License-Identifier: Apache-2.0
#include "ops/attention.h"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/attention.h"
#include "kernels/cpu/pair_attention.h"
#include "libtorch/parallel.h"
#include "ops/work.h"

namespace motley::ops {
namespace {

template <typename T>
void attend(const HeadView& q, const HeadView& k, const HeadView& v, int64_t heads, int64_t head, bool causal,
            const int32_t* which, Tensor& out) {
  const int64_t images = q.rows.size(0), queries = q.rows.size(1), keys = k.rows.size(1);
  const int64_t qs = q.rows.size(2), ks = k.rows.size(2), vs = v.rows.size(2), os = heads * head;
  const int64_t blocks = (queries + kernels::kAttentionQueries - 1) / kernels::kAttentionQueries;
  const T *qd = q.rows.data<T>() + q.column, *kd = k.rows.data<T>() + k.column, *vd = v.rows.data<T>() + v.column;
  T* od = out.data<T>();
  parallel_for(images * heads * blocks, 1, [&](int64_t begin, int64_t end) {
    const Tensor scratch = Tensor::empty({kernels::attention_scratch(head)});
    for (int64_t i = begin; i < end; ++i) {
      const int64_t block = i % blocks, h = i / blocks % heads, image = i / blocks / heads;
      const int64_t source = which == nullptr ? image : which[image], first = block * kernels::kAttentionQueries;
      const kernels::AttentionShape shape = {std::min(kernels::kAttentionQueries, queries - first), keys, head, qs, ks, vs,
                                             os, first, causal, static_cast<float>(1 / std::sqrt(static_cast<double>(head)))};
      kernels::attention_functions<T>().head(shape, qd + (image * queries + first) * qs + h * head,
                                             kd + source * keys * ks + h * head, vd + source * keys * vs + h * head,
                                             od + (image * queries + first) * os + h * head, scratch.data<float>());
    }
  });
}

// On bf16 units: keys and values of each head are brought into pairs once, then queries are taken a block at a time.
void attend_in_pairs(const HeadView& q, const HeadView& k, const HeadView& v, int64_t heads, int64_t head, bool causal,
                     const int32_t* which, Tensor& out) {
  constexpr int64_t kQueries = 256;
  const int64_t images = q.rows.size(0), entries = k.rows.size(0), queries = q.rows.size(1), keys = k.rows.size(1);
  const int64_t qs = q.rows.size(2), ks = k.rows.size(2), vs = v.rows.size(2), os = heads * head;
  const int64_t key_size = kernels::pair_keys_size(keys, head), value_size = kernels::pair_values_size(keys, head);
  const Tensor packed_keys = Tensor::empty({entries * heads, key_size}, DType::bf16), packed_values = Tensor::empty({entries * heads, value_size}, DType::bf16);
  bf16 *kp = packed_keys.data<bf16>(), *vp = packed_values.data<bf16>();
  parallel_for(entries * heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t row = i / heads * keys, column = i % heads * head;
      kernels::pack_pair_keys(k.rows.data<bf16>() + k.column + row * ks + column, ks, keys, head, kp + i * key_size);
      kernels::pack_pair_values(v.rows.data<bf16>() + v.column + row * vs + column, vs, keys, head, vp + i * value_size);
    }
  });
  const int64_t blocks = (queries + kQueries - 1) / kQueries;
  parallel_for(images * heads * blocks, 1, [&](int64_t begin, int64_t end) {
    kernels::PairAttention worker(head);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i % blocks * kQueries, h = i / blocks % heads, image = i / blocks / heads;
      const int64_t source = (which == nullptr ? image : which[image]) * heads + h;
      const kernels::AttentionShape shape = {std::min(kQueries, queries - first), keys, head, qs, ks, vs, os, first, causal,
                                             static_cast<float>(1 / std::sqrt(static_cast<double>(head)))};
      worker.run(shape, q.rows.data<bf16>() + q.column + (image * queries + first) * qs + h * head, {kp + source * key_size, vp + source * value_size},
                 out.data<bf16>() + (image * queries + first) * os + h * head);
    }
  });
}

}  // namespace

Tensor attention(const HeadView& q, const HeadView& k, const HeadView& v, int64_t heads, int64_t head_size, bool causal,
                 const int32_t* which) {
  ensure(q.rows.dims() == 3 && k.rows.dims() == 3 && v.rows.dims() == 3 && k.rows.size(1) == v.rows.size(1),
         "attention of ", shown(q.rows.shape()), " to ", shown(k.rows.shape()));
  for (const HeadView* view : {&q, &k, &v}) {
    ensure(view->column + heads * head_size <= view->rows.size(2), "attention: heads beyond the row");
    ensure(view->rows.dtype() == q.rows.dtype(), "attention of mixed element types");
  }
  const Timed timed(which == nullptr ? "self attention" : "cross attention", [&] { return attention_work(q, k, heads, head_size); });
  Tensor out = Tensor::empty({q.rows.size(0), q.rows.size(1), heads * head_size}, q.rows.dtype());
  if (q.rows.dtype() == DType::bf16 && kernels::pair_unit() != nullptr) {
    attend_in_pairs(q, k, v, heads, head_size, causal, which, out);
  } else {
    with_element(q.rows.dtype(), [&]<typename T>() { attend<T>(q, k, v, heads, head_size, causal, which, out); });
  }
  return out;
}

}  // namespace motley::ops
