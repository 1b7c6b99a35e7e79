// SPDX-License-Identifier: Apache-2.0
#include "ops/normalise.h"

#include <algorithm>
#include <vector>

#include "kernels/cpu/group_norm.h"
#include "kernels/cpu/rowwise.h"
#include "libtorch/convert.h"
#include "libtorch/parallel.h"
#include "ops/graph.h"
#include "ops/tape.h"
#include "ops/work.h"

namespace motley::ops {
namespace {

constexpr int64_t kGrain = 8192;  // elements worth a thread's start

template <typename T>
void group_norm_of(const Tensor& x, Tensor& y, int64_t groups, double eps, const Tensor& weight, const Tensor& bias, bool silu) {
  const int64_t images = x.size(0), channels = x.size(-1), pixels = x.numel() / images / channels;
  const auto& kernel = kernels::group_norm_functions<T>();
  const T* in = x.data<T>();
  T* out = y.data<T>();
  // Parts of an image, cut by its shape alone, so that neither threads nor batch change a sum.
  constexpr int64_t kPart = 1 << 16;
  const int64_t rows = std::max<int64_t>(32, kPart / channels / 32 * 32), parts = (pixels + rows - 1) / rows;
  const int64_t grain = std::max<int64_t>(1, kGrain / (std::min(rows, pixels) * channels));
  Tensor sums = Tensor::empty({images * parts, 2, channels}, DType::f64), maps = Tensor::empty({images, 3, channels});
  double* sum = sums.data<double>();
  float* map = maps.data<float>();
  auto part = [&](int64_t i) { return std::pair{i % parts * rows, std::min(rows, pixels - i % parts * rows)}; };
  auto analyse = [&](int64_t i) {
    float* shift = map + i / parts * 3 * channels + 2 * channels;
    const auto [first, count] = part(i);
    kernel.sums(in + (i / parts * pixels + first) * channels, count, channels, channels, shift, sum + 2 * i * channels,
                sum + (2 * i + 1) * channels);
  };
  auto shift = [&](int64_t image) {
    float* to = map + image * 3 * channels + 2 * channels;
    for (int64_t c = 0; c < channels; ++c) to[c] = to_float(in[image * pixels * channels + c]);
  };
  auto conclude = [&](int64_t image) {
    double* total = sum + 2 * image * parts * channels;
    for (int64_t p = 1; p < parts; ++p) {
      for (int64_t c = 0; c < 2 * channels; ++c) total[c] += total[2 * p * channels + c];
    }
    float* to = map + image * 3 * channels;
    kernels::group_norm_coefficients(pixels, channels, groups, eps, to + 2 * channels, total, total + channels, weight.data<float>(),
                                     bias.data<float>(), to, to + channels);
  };
  auto apply = [&](int64_t i) {
    const float* from = map + i / parts * 3 * channels;
    const auto [first, count] = part(i);
    const int64_t at = (i / parts * pixels + first) * channels;
    kernel.apply(in + at, out + at, count, channels, channels, channels, from, from + channels, silu);
  };
  if (parts == 1) {  // an image at a time: it stays in cache from the sums to the result
    parallel_for(images, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) shift(i), analyse(i), conclude(i), apply(i);
    });
    return;
  }
  for (int64_t i = 0; i < images; ++i) shift(i);
  parallel_for(images * parts, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) analyse(i);
  });
  for (int64_t i = 0; i < images; ++i) conclude(i);
  parallel_for(images * parts, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) apply(i);
  });
}

template <typename T>
void layer_norm_of(const Tensor& x, Tensor& y, double eps, const Tensor& weight, const Tensor& bias, const Tensor& moments) {
  const int64_t width = x.size(-1);
  const T* in = x.data<T>();
  T* out = y.data<T>();
  parallel_for(x.numel() / width, std::max<int64_t>(1, kGrain / width), [&](int64_t begin, int64_t end) {
    kernels::rowwise_functions<T>().layer_norm(in + begin * width, out + begin * width, end - begin, width, eps, weight.data<float>(),
                                               bias.data<float>(), moments ? moments.data<float>() + 2 * begin : nullptr);
  });
}

void record_layer_norm(Tape& tape, const Tensor& y, const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& moments) {
  tape.record(y, {x, weight, bias}, [=](Tape& t, const Tensor& dy) {
    // Into the gradient that x has already, as beside a residual, or else over dy.
    const Tensor sum = t.so_far(x), there = t.destination(x), dx = sum ? sum : there ? there : dy;
    const Tensor dweight = t.place_for(weight), dbias = t.place_for(bias);
    const Timed timed("layer_norm backward", [&] { return passing_work(x, {&dy, &x, &sum, &dx}); });
    with_element(x.dtype(), [&]<typename T>() {
      const int64_t width = x.size(-1);
      kernels::layer_norm_backward<T>(dy.data<T>(), x.data<T>(), x.numel() / width, width, weight.data<float>(), moments.data<float>(),
                                      sum ? sum.data<T>() : nullptr, dx.data<T>(), dweight.data<float>(), dbias.data<float>());
    });
    t.add(weight, dweight);
    t.add(bias, dbias);
    if (!sum) t.add(x, dx);
  });
}

template <typename T>
void geglu_of(const Tensor& x, Tensor& y) {
  const int64_t width = y.size(-1);
  const T* in = x.data<T>();
  T* out = y.data<T>();
  parallel_for(y.numel() / width, std::max<int64_t>(1, kGrain / width), [&](int64_t begin, int64_t end) {
    kernels::rowwise_functions<T>().geglu(in + begin * 2 * width, out + begin * width, end - begin, width);
  });
}

template <typename T>
void activate_of(const Tensor& x, Tensor& y, Activation activation) {
  const auto& k = kernels::rowwise_functions<T>();
  const auto choose = [&] {
    switch (activation) {
      case Activation::none: break;
      case Activation::silu: return k.silu;
      case Activation::relu: return k.relu;
      case Activation::gelu: return k.gelu;
      case Activation::quick_gelu: return k.quick_gelu;
      case Activation::hard_swish: return k.hard_swish;
    }
    throw Error(MOTLEY_INTERNAL, "activate without an activation");
  };
  const auto f = choose();
  const T* in = x.data<T>();
  T* out = y.data<T>();
  parallel_for(x.numel(), kGrain, [&](int64_t begin, int64_t end) { f(in + begin, out + begin, end - begin); });
}

void record_activation(Tape& tape, const Tensor& y, const Tensor& x, Activation activation) {
  ensure(activation == Activation::gelu || activation == Activation::relu || activation == Activation::hard_swish,
         "gelu, relu and hard_swish alone of the activations are differentiable");
  tape.record(y, {x}, [=](Tape& t, const Tensor& dy) {
    const Tensor there = t.destination(x), dx = there ? there : dy;
    const Timed timed("activate backward", [&] { return passing_work(x, {&dy, &x, &dx}); });
    with_element(x.dtype(), [&]<typename T>() {
      const auto& k = kernels::rowwise_functions<T>();
      const auto f = activation == Activation::gelu   ? k.gelu_backward
                     : activation == Activation::relu ? k.relu_backward
                                                      : k.hard_swish_backward;
      parallel_for(x.numel(), kGrain,
                   [&](int64_t begin, int64_t end) { f(dy.data<T>() + begin, x.data<T>() + begin, dx.data<T>() + begin, end - begin); });
    });
    t.add(x, dx);
  });
}

}  // namespace

Tensor group_norm(const Tensor& x, int64_t groups, double eps, const Tensor& weight, const Tensor& bias, Activation then) {
  ensure(x.dims() == 4 && x.size(3) % groups == 0 && weight.numel() == x.size(3) && bias.numel() == x.size(3), "group_norm of ",
         shown(x.shape()), " in ", groups, " groups");
  ensure(then == Activation::none || then == Activation::silu, "group_norm is followed by SiLU or nothing");
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  const Timed timed("group_norm", [&] { return passing_work(y, {&x, &weight, &bias, &y}); });
  with_element(x.dtype(), [&]<typename T>() { group_norm_of<T>(x, y, groups, eps, weight, bias, then == Activation::silu); });
  return y;
}

Tensor layer_norm(const Tensor& x, double eps, const Tensor& weight, const Tensor& bias) {
  ensure(weight.numel() == x.size(-1) && bias.numel() == x.size(-1), "layer_norm of ", shown(x.shape()));
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  Tape* tape = Tape::current();
  const bool taped = tape != nullptr && (tape->wants(x) || tape->wants(weight) || tape->wants(bias));
  const Tensor moments = taped ? Tensor::empty({x.numel() / x.size(-1), 2}) : Tensor();
  const Timed timed("layer_norm", [&] { return passing_work(y, {&x, &weight, &bias, &y}); });
  with_element(x.dtype(), [&]<typename T>() { layer_norm_of<T>(x, y, eps, weight, bias, moments); });
  if (Graph* graph = Graph::current()) graph->add("layer_norm", {x, weight, bias}, y, {{"eps", eps}});
  if (taped) record_layer_norm(*tape, y, x, weight, bias, moments);
  return y;
}

Tensor geglu(const Tensor& x) {
  ensure(x.size(-1) % 2 == 0, "geglu of ", shown(x.shape()));
  Shape shape = x.shape();
  shape.back() /= 2;
  Tensor y = Tensor::empty(shape, x.dtype());
  const Timed timed("geglu", [&] { return passing_work(y, {&x, &y}); });
  with_element(x.dtype(), [&]<typename T>() { geglu_of<T>(x, y); });
  return y;
}

Tensor activate(const Tensor& x, Activation activation) {
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  const Timed timed("activate", [&] { return passing_work(y, {&x, &y}); });
  with_element(x.dtype(), [&]<typename T>() { activate_of<T>(x, y, activation); });
  Tape* tape = Tape::current();
  if (Graph* graph = Graph::current()) graph->add(name_of(activation), {x}, y);
  if (tape != nullptr && tape->wants(x)) record_activation(*tape, y, x, activation);
  return y;
}

}  // namespace motley::ops
