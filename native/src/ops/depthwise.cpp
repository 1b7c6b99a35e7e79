// SPDX-License-Identifier: Apache-2.0
#include "ops/depthwise.h"

#include "kernels/cpu/depthwise.h"
#include "kernels/cpu/product.h"
#include "ops/graph.h"
#include "ops/tape.h"
#include "ops/work.h"

namespace motley::ops {
namespace {

using kernels::DepthwiseShape;

Work depthwise_work(const DepthwiseShape& s, std::initializer_list<const Tensor*> moved) {
  Work work;
  work.shape = concat(s.kernel, "x", s.kernel, " ", s.channels);
  if (s.stride != 1) work.shape += concat(" /", s.stride);
  work.shape += concat(" @", s.height, "x", s.width);
  work.flops = 2 * s.images * s.out_height * s.out_width * s.channels * s.kernel * s.kernel;
  for (const Tensor* t : moved) work.bytes += t->bytes();
  return work;
}

template <typename T>
void backward(Tape& t, const DepthwiseShape& s, const Tensor& x, const Tensor& w, const Tensor& bias, const Tensor& dy) {
  if (t.wants(x)) {
    const Tensor sum = t.so_far(x), there = t.destination(x), dx = sum ? sum : there ? there : Tensor::empty(x.shape(), x.dtype());
    const Timed timed("depthwise input gradient", [&] { return depthwise_work(s, {&dy, &w, &dx}); });
    kernels::depthwise_input_gradient<T>(s, dy.data<T>(), w.data<float>(), dx.data<T>(), sum.defined());
    if (!sum) t.add(x, dx);
  }
  if (t.wants(w)) {
    const Tensor dw = t.place_for(w);
    const Timed timed("depthwise weight gradient", [&] { return depthwise_work(s, {&dy, &x, &dw}); });
    kernels::depthwise_weight_gradient<T>(s, dy.data<T>(), x.data<T>(), dw.data<float>());
    t.add(w, dw);
  }
  if (t.wants(bias)) {
    const Tensor db = t.place_for(bias), d = dy.to(DType::f32);
    kernels::sum_rows(d.data<float>(), d.numel() / s.channels, s.channels, db.data<float>());
    t.add(bias, db);
  }
}

template <typename T>
Tensor run(const DepthwiseShape& s, const Tensor& x, const Tensor& w, const Tensor& bias, Activation activation) {
  const Tensor y = Tensor::empty({s.images, s.out_height, s.out_width, s.channels}, x.dtype());
  const Timed timed("depthwise", [&] { return depthwise_work(s, {&x, &w, &y}); });
  kernels::depthwise_forward<T>(s, x.data<T>(), w.data<float>(), bias ? bias.data<float>() : nullptr, activation, y.data<T>());
  if (Tape* tape = Tape::current()) {
    tape->record(y, {x, w, bias}, [=](Tape& t, const Tensor& dy) { backward<T>(t, s, x, w, bias, dy); });
  }
  return y;
}

}  // namespace

Tensor depthwise_conv2d(const Tensor& x, const Tensor& w, int64_t stride, const Tensor& bias, Activation activation) {
  ensure(x.dims() == 4 && x.numel() > 0 && w.dims() == 4 && w.size(0) == x.size(3) && w.size(3) == 1 && w.size(1) == w.size(2),
         "depthwise_conv2d of ", shown(x.shape()), " with ", shown(w.shape()));
  const int64_t k = w.size(1);
  ensure((stride == 1 && (k == 3 || k == 5 || k == 7)) || (stride == 2 && (k == 3 || k == 5)), "depthwise_conv2d with a ", k, "x", k,
         " kernel of stride ", stride);
  ensure(!bias || bias.numel() == x.size(3), "bias of ", bias ? bias.numel() : 0, " for ", x.size(3), " channels");
  ensure(Tape::current() == nullptr || activation == Activation::none, "depthwise_conv2d is differentiable with a bias only");
  const DepthwiseShape s = kernels::depthwise_shape(x.size(0), x.size(1), x.size(2), x.size(3), k, stride);
  const Tensor y = x.dtype() == DType::bf16 ? run<bf16>(s, x, w, bias, activation) : run<float>(s, x, w, bias, activation);
  if (Graph* graph = Graph::current()) graph->add("depthwise_conv2d", {x, w, bias}, y, {{"stride", stride}});
  return y;
}

}  // namespace motley::ops
