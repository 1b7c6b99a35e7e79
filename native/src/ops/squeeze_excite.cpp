// SPDX-License-Identifier: Apache-2.0
#include "ops/squeeze_excite.h"

#include "kernels/cpu/squeeze_excite.h"
#include "libtorch/parallel.h"
#include "ops/graph.h"
#include "ops/linear.h"
#include "ops/normalise.h"
#include "ops/tape.h"
#include "ops/work.h"

namespace motley::ops {
namespace {

struct Sizes {
  int64_t images, pixels, channels, image;  // image: elements of one
  explicit Sizes(const Tensor& x) : images(x.size(0)), pixels(x.size(1) * x.size(2)), channels(x.size(3)), image(pixels * channels) {}
  // body(image)
  template <typename Body>
  void each(const Body& body) const {
    parallel_for(images, 1 + (1 << 14) / image, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) body(i);
    });
  }
};

// -> (N, 1, 1, C) f32
template <typename T>
Tensor channel_means(const Tensor& x) {
  const Sizes s(x);
  const Tensor means = Tensor::empty({s.images, 1, 1, s.channels});
  const Timed timed("channel means", [&] { return passing_work(x, {&x}); });
  const auto& loops = kernels::squeeze_excite_loops<T>();
  s.each([&](int64_t i) { loops.mean(x.data<T>() + i * s.image, s.pixels, s.channels, means.data<float>() + i * s.channels); });
  if (Graph* graph = Graph::current()) graph->add("channel_means", {x}, means);
  if (Tape* tape = Tape::current()) {
    tape->record(means, {x}, [=](Tape& t, const Tensor& dmeans) {
      const Tensor sum = t.so_far(x), dx = sum ? sum : Tensor::empty(x.shape(), x.dtype());
      const Timed timed_back("channel means backward", [&] { return passing_work(x, {&dx, &dx}); });
      const auto& back = kernels::squeeze_excite_loops<T>();
      s.each([&](int64_t i) {
        back.mean_backward(dmeans.data<float>() + i * s.channels, s.pixels, s.channels, sum.defined(), dx.data<T>() + i * s.image);
      });
      if (!sum) t.add(x, dx);
    });
  }
  return means;
}

// x * hard_sigmoid(by), by (N, 1, 1, C) f32
template <typename T>
Tensor excited(const Tensor& x, const Tensor& by) {
  const Sizes s(x);
  const Tensor y = Tensor::empty(x.shape(), x.dtype());
  const Timed timed("excite", [&] { return passing_work(x, {&x, &y}); });
  const auto& loops = kernels::squeeze_excite_loops<T>();
  s.each([&](int64_t i) {
    loops.excite(x.data<T>() + i * s.image, by.data<float>() + i * s.channels, s.pixels, s.channels, y.data<T>() + i * s.image);
  });
  if (Graph* graph = Graph::current()) graph->add("excite", {x, by}, y);
  if (Tape* tape = Tape::current()) {
    tape->record(y, {x, by}, [=](Tape& t, const Tensor& dy) {
      const Timed timed_back("excite backward", [&] { return passing_work(x, {&x, &dy, &dy}); });
      const Tensor dby = t.place_for(by);
      const auto& back = kernels::squeeze_excite_loops<T>();
      s.each([&](int64_t i) {
        T* d = dy.data<T>() + i * s.image;  // dx is written over it
        back.excite_backward(d, x.data<T>() + i * s.image, by.data<float>() + i * s.channels, s.pixels, s.channels, d,
                             dby.data<float>() + i * s.channels);
      });
      t.add(x, dy);
      t.add(by, dby);
    });
  }
  return y;
}

template <typename T>
Tensor run(const Tensor& x, const SqueezeExcite& layer) {
  const Conv2d plain = Conv2d::same(1);
  const Tensor squeezed = conv2d(channel_means<T>(x), layer.squeeze_weight, plain, {layer.squeeze_bias, {}, {}, Activation::none});
  return excited<T>(
      x, conv2d(activate(squeezed, Activation::relu), layer.excite_weight, plain, {layer.excite_bias, {}, {}, Activation::none}));
}

}  // namespace

Tensor squeeze_excite(const Tensor& x, const SqueezeExcite& layer) {
  ensure(x.dims() == 4 && x.numel() > 0 && layer.squeeze_weight.size(-1) == x.size(3) && layer.excite_weight.size(0) == x.size(3),
         "squeeze_excite of ", shown(x.shape()), " with ", shown(layer.squeeze_weight.shape()), " and ",
         shown(layer.excite_weight.shape()));
  return x.dtype() == DType::bf16 ? run<bf16>(x, layer) : run<float>(x, layer);
}

}  // namespace motley::ops
