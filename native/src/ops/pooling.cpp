// SPDX-License-Identifier: Apache-2.0
#include "ops/pooling.h"

#include <algorithm>

#include "kernels/cpu/pooling.h"
#include "libtorch/parallel.h"
#include "ops/graph.h"
#include "ops/tape.h"
#include "ops/work.h"

namespace motley::ops {
namespace {

template <typename T>
Tensor max_pool_as(const Tensor& x) {
  const int64_t n = x.size(0), h = x.size(1), w = x.size(2), c = x.size(3);
  const int64_t out = kernels::max_pool_size(h) * kernels::max_pool_size(w) * c, in = h * w * c;
  const Tensor y = Tensor::empty({n, kernels::max_pool_size(h), kernels::max_pool_size(w), c}, x.dtype());
  const Timed timed("max_pool", [&] { return passing_work(x, {&x, &y}); });
  Tape* tape = Tape::current();
  const Tensor taps = tape != nullptr && tape->wants(x) ? Tensor::empty(y.shape(), DType::u8) : Tensor();
  const auto& loops = kernels::pooling_loops<T>();
  parallel_for(n, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      loops.max_pool(x.data<T>() + i * in, h, w, c, y.data<T>() + i * out, taps ? taps.data<uint8_t>() + i * out : nullptr);
    }
  });
  if (taps) {
    tape->record(y, {x}, [=](Tape& t, const Tensor& dy) {
      const Tensor dx = Tensor::empty({n, h, w, c}, dy.dtype());
      const Timed timed_back("max_pool backward", [&] { return passing_work(dx, {&dy, &taps, &dx}); });
      const auto& back = kernels::pooling_loops<T>();
      parallel_for(n, 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          back.max_pool_backward(dy.data<T>() + i * out, taps.data<uint8_t>() + i * out, h, w, c, dx.data<T>() + i * in);
        }
      });
      t.add(x, dx);
    });
  }
  return y;
}

// Calls move(pixel of x, pixel of the thinned image) for all pixels of image i.
template <typename Move>
void for_each_thinned(int64_t i, int64_t h, int64_t w, const Move& move) {
  const int64_t oh = (h + 1) / 2, ow = (w + 1) / 2;
  for (int64_t y = 0; y < oh; ++y) {
    for (int64_t x = 0; x < ow; ++x) move((i * h + 2 * y) * w + 2 * x, (i * oh + y) * ow + x);
  }
}

template <typename T>
Tensor thinned_as(const Tensor& x, int64_t channels) {
  const int64_t n = x.size(0), h = x.size(1), w = x.size(2), c = x.size(3), before = (channels - c) / 2;
  const Tensor y = Tensor::zeros({n, (h + 1) / 2, (w + 1) / 2, channels}, x.dtype());
  const Timed timed("thinned", [&] { return passing_work(y, {&x, &y}); });
  parallel_for(n, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      for_each_thinned(i, h, w,
                       [&](int64_t from, int64_t to) { std::copy_n(x.data<T>() + from * c, c, y.data<T>() + to * channels + before); });
    }
  });
  if (Tape* tape = Tape::current()) {
    tape->record(y, {x}, [=](Tape& t, const Tensor& dy) {
      const Tensor dx = Tensor::zeros({n, h, w, c}, dy.dtype());
      parallel_for(n, 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          for_each_thinned(
              i, h, w, [&](int64_t from, int64_t to) { std::copy_n(dy.data<T>() + to * channels + before, c, dx.data<T>() + from * c); });
        }
      });
      t.add(x, dx);
    });
  }
  return y;
}

template <typename T>
Tensor average_as(const Tensor& x) {
  const int64_t n = x.size(0), pixels = x.size(1) * x.size(2), c = x.size(3);
  const bool one = pixels == 1;  // the mean of one value is the value: same memory
  const Tensor y = one ? x.viewed({n, c}) : Tensor::empty({n, c}, x.dtype());
  if (!one) {
    parallel_for(n, 1, [&](int64_t begin, int64_t end) {
      const auto& loops = kernels::pooling_loops<T>();
      for (int64_t i = begin; i < end; ++i) loops.mean(x.data<T>() + i * pixels * c, pixels, c, y.data<T>() + i * c);
    });
  }
  if (Tape* tape = Tape::current()) {
    tape->record(y, {x}, [=](Tape& t, const Tensor& dy) {
      if (one) return t.add(x, dy.viewed(x.shape()));
      const Tensor dx = Tensor::empty(x.shape(), dy.dtype());
      parallel_for(n, 1, [&](int64_t begin, int64_t end) {
        const auto& loops = kernels::pooling_loops<T>();
        for (int64_t i = begin; i < end; ++i) {
          loops.mean_backward(dy.data<T>() + i * c, pixels, c, dx.data<T>() + i * pixels * c);
        }
      });
      t.add(x, dx);
    });
  }
  return y;
}

}  // namespace

Tensor max_pool(const Tensor& x) {
  ensure(x.dims() == 4 && x.numel() > 0, "max_pool of ", shown(x.shape()));
  const Tensor y = x.dtype() == DType::bf16 ? max_pool_as<bf16>(x) : max_pool_as<float>(x);
  if (Graph* graph = Graph::current()) graph->add("max_pool", {x}, y);
  return y;
}

Tensor thinned(const Tensor& x, int64_t channels) {
  ensure(x.dims() == 4 && channels >= x.size(3), "thinned ", shown(x.shape()), " of ", channels, " channels");
  const Tensor y = x.dtype() == DType::bf16 ? thinned_as<bf16>(x, channels) : thinned_as<float>(x, channels);
  if (Graph* graph = Graph::current()) graph->add("thinned", {x}, y);
  return y;
}

Tensor global_average_pool(const Tensor& x) {
  ensure(x.dims() == 4 && x.numel() > 0, "global_average_pool of ", shown(x.shape()));
  const Tensor y = x.dtype() == DType::bf16 ? average_as<bf16>(x) : average_as<float>(x);
  if (Graph* graph = Graph::current()) graph->add("global_average_pool", {x}, y);
  return y;
}

}  // namespace motley::ops
