// SPDX-License-Identifier: Apache-2.0
#include "ops/linear.h"

#include "kernels/cpu/conv.h"
#include "kernels/cpu/pairs.h"
#include "kernels/cpu/scratch.h"
#include "kernels/cpu/winograd.h"
#include "ops/graph.h"
#include "ops/tape.h"
#include "ops/work.h"

namespace motley::ops {
namespace {

using kernels::ConvShape;
using kernels::Output;
using kernels::Right;
using kernels::Scratch;

void directly(const ConvShape& s, const Tensor& x, const Right& right, const Output& out) {
  kernels::conv_forward(s, x.data<float>(), right, out);
}

// all of f32
void convolve(const ConvShape& s, const Tensor& x, const Tensor& w, const Output& out) {
  if (!kernels::winograd_suits(s)) return directly(s, x, kernels::conv_right(s, w.data<float>()), out);
  const Scratch u(kernels::winograd_size(s.outputs, s.channels));
  kernels::winograd_weights(s.outputs, s.channels, w.data<float>(), u.data());
  kernels::winograd_forward(s, x.data<float>(), u.data(), out);
}

void convolve(const ConvShape& s, const Tensor& x, const Weight& w, const Output& out) {
  const bool suits = w.keeps_winograd() ? kernels::winograd_suits(s) : kernels::winograd_suits_passing(s);
  if (!suits) return directly(s, x, kernels::conv_right(s, w.panels()), out);
  if (const float* u = w.winograd()) return kernels::winograd_forward(s, x.data<float>(), u, out);
  kernels::winograd_forward(s, x.data<float>(), w.panels(), out);
}

Output output_of(const Tensor& y, const Epilogue& e, const Tensor& residual) {
  return {y.data<float>(), e.bias.defined() ? e.bias.data<float>() : nullptr, e.per_image.defined() ? e.per_image.data<float>() : nullptr,
          residual.defined() ? residual.data<float>() : nullptr, e.activation};
}

void check(const Epilogue& e, const Shape& result, int64_t images) {
  const int64_t outputs = result.back();
  ensure(!e.bias.defined() || e.bias.numel() == outputs, "bias of ", e.bias.defined() ? e.bias.numel() : 0, " for ", outputs, " outputs");
  ensure(!e.per_image.defined() || e.per_image.shape() == Shape{images, outputs}, "per-image term for a result of shape ", shown(result));
  ensure(!e.residual.defined() || e.residual.shape() == result, "residual for a result of shape ", shown(result));
}

bool differentiable(const Epilogue& e) { return !e.per_image.defined() && e.activation == Activation::none; }

ConvShape shape_of(const Tensor& x, const Shape& w, const Conv2d& how) {
  ensure(x.dims() == 4 && w.size() == 4 && x.size(3) == w[3], "conv2d of ", shown(x.shape()), " with ", shown(w));
  ConvShape s{x.size(0), x.size(1), x.size(2), x.size(3), w[0], w[1], w[2], how.stride, how.top, how.left, 0, 0};
  s.out_height = (s.height + how.top + how.bottom - s.kernel_h) / s.stride + 1;
  s.out_width = (s.width + how.left + how.right - s.kernel_w) / s.stride + 1;
  ensure(s.out_height > 0 && s.out_width > 0, "conv2d of ", shown(x.shape()), " with ", shown(w), ": the kernel is larger than the image");
  return s;
}

// a dense layer is a convolution of 1x1 pixels
ConvShape shape_of(const Tensor& x, const Shape& w) {
  ensure(w.size() == 2 && x.dims() >= 1 && x.size(-1) == w[1], "linear of ", shown(x.shape()), " with ", shown(w));
  const int64_t rows = x.numel() / x.size(-1), images = x.dims() > 2 ? x.size(0) : 1;
  return {images, rows / images, 1, w[1], w[0], 1, 1, 1, 0, 0, rows / images, 1};
}

Tensor as_f32(const Tensor& t) { return !t.defined() || t.dtype() == DType::f32 ? t : t.to(DType::f32); }

// Runs compute(x in f32, where its result goes, and what is added) for a result of that shape, of x's type.
template <typename Compute>
Tensor in_f32(const Tensor& x, const Shape& result, const Epilogue& e, const Compute& compute) {
  const Tensor y = Tensor::empty(result), residual = as_f32(e.residual);
  compute(as_f32(x), output_of(y, e, residual));
  return y.to(x.dtype());
}

// Whether bf16 units compute it.
bool in_pairs(const Tensor& x, const Weight& w) {
  return x.dtype() == DType::bf16 && w.dtype() == DType::bf16 && kernels::pair_unit() != nullptr;
}

kernels::PairOutput pair_output_of(const Tensor& y, const Epilogue& e) {
  return {y.data<bf16>(), e.bias.defined() ? e.bias.data<float>() : nullptr, e.per_image.defined() ? e.per_image.data<float>() : nullptr,
          e.residual.defined() ? e.residual.data<bf16>() : nullptr, e.activation};
}

// x may be stored in another type than f32: its gradient is then made in f32 and stored in that type.
void record(const Tensor& y, const Tensor& x, const Tensor& w, const Epilogue& epilogue, const ConvShape& s) {
  Tape* tape = Tape::current();
  if (tape == nullptr) return;
  ensure(w.dtype() == DType::f32 || !tape->wants(w), "a weight whose gradient is wanted must be f32");
  const Tensor bias = epilogue.bias, residual = epilogue.residual;
  tape->record(y, {x, w, bias, residual}, [=](Tape& t, const Tensor& dy) {
    const Tensor d = as_f32(dy);
    const auto work = [&] { return conv_work(s, x, w.bytes(), d.shape(), {}); };  // the same three matrices
    if (t.wants(x)) {
      const Timed timed("input gradient", work);
      const Tensor sum = x.dtype() == DType::f32 ? t.so_far(x) : Tensor();
      const Tensor dx = sum ? sum : x.dtype() == DType::f32 ? t.place_for(x) : Tensor::empty(x.shape());
      kernels::conv_input_gradient(s, d.data<float>(), as_f32(w).data<float>(), dx.data<float>(), sum.defined());
      if (!sum) t.add(x, dx.to(x.dtype()));
    }
    if (t.wants(w)) {
      const Timed timed("weight gradient", work);
      Tensor dw = t.place_for(w);
      kernels::conv_weight_gradient(s, d.data<float>(), as_f32(x).data<float>(), dw.data<float>());
      t.add(w, dw);
    }
    if (t.wants(bias)) {
      Tensor db = t.place_for(bias);
      kernels::sum_rows(d.data<float>(), d.numel() / d.size(-1), d.size(-1), db.data<float>());
      t.add(bias, db);
    }
    t.add(residual, dy);
  });
}

Tensor product(const ConvShape& s, const Tensor& x, const Weight& w, const Shape& result, const Epilogue& e) {
  if (!in_pairs(x, w)) return in_f32(x, result, e, [&](const Tensor& in, const Output& out) { convolve(s, in, w, out); });
  const Tensor y = Tensor::empty(result, DType::bf16);
  kernels::pair_conv(s, x.data<bf16>(), w.panels(), pair_output_of(y, e));
  return y;
}

}  // namespace

const char* name_of(Activation activation) {
  switch (activation) {
    case Activation::none: return "none";
    case Activation::silu: return "silu";
    case Activation::relu: return "relu";
    case Activation::gelu: return "gelu";
    case Activation::quick_gelu: return "quick_gelu";
    case Activation::hard_swish: return "hard_swish";
  }
  return "unknown";
}

Tensor conv2d(const Tensor& x, const Tensor& w, const Conv2d& how, const Epilogue& epilogue) {
  const ConvShape s = shape_of(x, w.shape(), how);
  const Shape result{s.images, s.out_height, s.out_width, s.outputs};
  check(epilogue, result, s.images);
  ensure(Tape::current() == nullptr || differentiable(epilogue), "conv2d is differentiable with a bias and a residual only");
  const Timed timed("conv2d", [&] { return conv_work(s, x, w.bytes(), result, epilogue); });
  const Tensor y = in_f32(x, result, epilogue, [&](const Tensor& in, const Output& out) { convolve(s, in, as_f32(w), out); });
  if (Graph* graph = Graph::current()) {
    graph->add("conv2d", {x, w, epilogue.bias}, y,
               {{"stride", how.stride}, {"top", how.top}, {"left", how.left}, {"bottom", how.bottom}, {"right", how.right}});
  }
  record(y, x, w, epilogue, s);
  return y;
}

Tensor conv2d(const Tensor& x, const Weight& w, const Conv2d& how, const Epilogue& epilogue) {
  const ConvShape s = shape_of(x, w.shape(), how);
  const Shape result{s.images, s.out_height, s.out_width, s.outputs};
  check(epilogue, result, s.images);
  ensure(Tape::current() == nullptr, "a frozen weight under a tape");
  const Timed timed("conv2d", [&] { return conv_work(s, x, weight_bytes(w), result, epilogue); });
  return product(s, x, w, result, epilogue);
}

Tensor upsample_conv2d(const Tensor& x, const Weight& w, const Epilogue& epilogue) {
  const ConvShape s = shape_of(x, w.shape(), Conv2d::same(3));
  ensure(s.kernel_h == 3 && s.kernel_w == 3, "upsample_conv2d with ", shown(w.shape()));
  const Shape result{s.images, 2 * s.height, 2 * s.width, s.outputs};
  check(epilogue, result, s.images);
  ensure(Tape::current() == nullptr, "a frozen weight under a tape");
  const Timed timed("upsample_conv2d", [&] { return upsample_work(s, x, weight_bytes(w), result, epilogue); });
  if (in_pairs(x, w)) {
    const Tensor y = Tensor::empty(result, DType::bf16);
    kernels::pair_upsample_conv(s.images, s.height, s.width, s.channels, s.outputs, x.data<bf16>(), w.upsample_pairs(),
                                pair_output_of(y, epilogue));
    return y;
  }
  const float* phases = w.upsample();
  Scratch passing;
  if (phases == nullptr) {
    passing = Scratch(kernels::upsample_size(s.outputs, s.channels));
    kernels::upsample_weights(w.panels(), passing.data());
    phases = passing.data();
  }
  return in_f32(x, result, epilogue, [&](const Tensor& in, const Output& out) {
    kernels::upsample_conv_forward(s.images, s.height, s.width, s.channels, s.outputs, in.data<float>(), phases, out);
  });
}

namespace {

Shape linear_result(const Tensor& x, int64_t outputs) {
  Shape result = x.shape();
  result.back() = outputs;
  return result;
}

}  // namespace

Tensor linear(const Tensor& x, const Tensor& w, const Epilogue& epilogue) {
  const ConvShape s = shape_of(x, w.shape());
  const Shape result = linear_result(x, s.outputs);
  check(epilogue, result, s.images);
  ensure(Tape::current() == nullptr || differentiable(epilogue), "linear is differentiable with a bias and a residual only");
  const Timed timed("linear", [&] { return linear_work(s, x, w.bytes(), result, epilogue); });
  const Tensor y = in_f32(x, result, epilogue, [&](const Tensor& in, const Output& out) {
    directly(s, in, kernels::conv_right(s, as_f32(w).data<float>()), out);
  });
  if (Graph* graph = Graph::current()) graph->add("linear", {x, w, epilogue.bias, epilogue.residual}, y);
  record(y, x, w, epilogue, s);
  return y;
}

Tensor linear(const Tensor& x, const Weight& w, const Epilogue& epilogue) {
  const ConvShape s = shape_of(x, w.shape());
  const Shape result = linear_result(x, s.outputs);
  check(epilogue, result, s.images);
  ensure(Tape::current() == nullptr, "a frozen weight under a tape");
  const Timed timed("linear", [&] { return linear_work(s, x, weight_bytes(w), result, epilogue); });
  return product(s, x, w, result, epilogue);
}

}  // namespace motley::ops
