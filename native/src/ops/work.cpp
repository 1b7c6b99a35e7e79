// SPDX-License-Identifier: Apache-2.0
#include "ops/work.h"

#include <algorithm>

namespace motley::ops {
namespace {

using kernels::ConvShape;

int64_t bytes_of(const Tensor& t) { return t.defined() ? t.bytes() : 0; }

// x, what the epilogue adds, and a result of x's type
int64_t bytes_moved(const Tensor& x, int64_t weights, const Shape& result, const Epilogue& e) {
  return x.bytes() + weights + elements(result) * size_of(x.dtype()) + bytes_of(e.bias) + bytes_of(e.per_image) + bytes_of(e.residual);
}

}  // namespace

Work conv_work(const ConvShape& s, const Tensor& x, int64_t weights, const Shape& result, const Epilogue& epilogue) {
  std::string shape = concat(s.kernel_h, "x", s.kernel_w, " ", s.channels, "->", s.outputs);
  if (s.stride != 1) shape += concat(" /", s.stride);
  shape += concat(" @", s.height, "x", s.width);
  return {shape, 2 * elements(result) * s.kernel_h * s.kernel_w * s.channels, bytes_moved(x, weights, result, epilogue)};
}

Work upsample_work(const ConvShape& s, const Tensor& x, int64_t weights, const Shape& result, const Epilogue& epilogue) {
  return {concat(s.channels, "->", s.outputs, " @", 2 * s.height, "x", 2 * s.width), 2 * elements(result) * 9 * s.channels,
          bytes_moved(x, weights, result, epilogue)};
}

Work linear_work(const ConvShape& s, const Tensor& x, int64_t weights, const Shape& result, const Epilogue& epilogue) {
  return {concat(s.channels, "->", s.outputs, " x", s.height), 2 * elements(result) * s.channels,
          bytes_moved(x, weights, result, epilogue)};
}

Work attention_work(const HeadView& q, const HeadView& k, int64_t heads, int64_t head_size) {
  const int64_t images = q.rows.size(0), queries = q.rows.size(1), sources = std::min(images, k.rows.size(0)), keys = k.rows.size(1),
                width = heads * head_size;
  std::string shape = concat(heads, "x", head_size, " @", queries);
  if (keys != queries) shape += concat(" to ", keys);
  return {shape, 4 * images * queries * keys * width, 2 * (images * queries + sources * keys) * width * size_of(q.rows.dtype())};
}

Work attention_backward_work(const Tensor& qkv, int64_t heads) {
  const int64_t images = qkv.size(0), tokens = qkv.size(1), width = qkv.size(2) / 3;
  return {concat(heads, "x", width / heads, " @", tokens), 10 * images * tokens * tokens * width, 2 * qkv.bytes() + qkv.bytes() / 3};
}

Work passing_work(const Tensor& y, std::initializer_list<const Tensor*> moved) {
  Work work;
  work.shape = concat(y.size(-1));
  if (y.dims() == 4) work.shape += concat(" @", y.size(1), "x", y.size(2));
  if (y.dims() == 3) work.shape += concat(" x", y.size(1));
  for (const Tensor* t : moved) work.bytes += bytes_of(*t);
  return work;
}

int64_t weight_bytes(const Weight& w) { return elements(w.shape()) * size_of(w.dtype()); }

}  // namespace motley::ops
