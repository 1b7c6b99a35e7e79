// SPDX-License-Identifier: Apache-2.0
#include "ops/tokens.h"

#include <algorithm>
#include <cstring>

#include "libtorch/convert.h"
#include "libtorch/parallel.h"
#include "ops/graph.h"
#include "ops/tape.h"
#include "ops/work.h"

namespace motley::ops {
namespace {

constexpr int64_t kGrain = 1 << 14;  // elements worth a thread's start

// Calls move(element of the picture, element of its patches, elements) for every row of every patch of n pictures (n, side, side, c).
template <typename Move>
void for_each_patch_row(int64_t n, int64_t side, int64_t c, int64_t p, const Move& move) {
  const int64_t row = p * c, across = side / p, line = side * c;
  parallel_for(n * side, std::max<int64_t>(1, kGrain / line), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {  // line i of all pictures: of patches i / p * across and on, their row i % p
      for (int64_t k = 0; k < across; ++k) move(i * line + k * row, ((i / p * across + k) * p + i % p) * row, row);
    }
  });
}

template <typename T>
void embed(const Tensor& x, const float* token, const float* positions, const Tensor& y) {
  const int64_t patches = x.size(1), width = x.size(2);
  parallel_for(y.numel() / width, std::max<int64_t>(1, kGrain / width), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t image = i / (1 + patches), at = i % (1 + patches);
      const float* position = positions + at * width;
      T* to = y.data<T>() + i * width;
      if (at == 0) {
        for (int64_t k = 0; k < width; ++k) to[k] = from_float<T>(token[k] + position[k]);
      } else {
        const T* from = x.data<T>() + (image * patches + at - 1) * width;
        for (int64_t k = 0; k < width; ++k) to[k] = from_float<T>(to_float(from[k]) + position[k]);
      }
    }
  });
}

// out (tokens, width) = the sum over the images, in order.
template <typename T>
void sum_images(const Tensor& dy, const Tensor& out) {
  const int64_t n = dy.size(0), width = dy.size(2), size = dy.numel() / n;
  parallel_for(dy.size(1), std::max<int64_t>(1, kGrain / (n * width)), [&](int64_t begin, int64_t end) {
    float* to = out.data<float>();
    std::fill(to + begin * width, to + end * width, 0.0f);
    for (int64_t i = 0; i < n; ++i) {
      const T* from = dy.data<T>() + i * size;
      for (int64_t k = begin * width; k < end * width; ++k) to[k] += to_float(from[k]);
    }
  });
}

// Row i of `to`, `to_row` bytes long, begins as row i of `from`, `from_row` long: so many bytes of it.
void copy_rows(const void* from, int64_t from_row, void* to, int64_t to_row, int64_t rows, int64_t bytes) {
  for (int64_t i = 0; i < rows; ++i) {
    std::memcpy(static_cast<char*>(to) + i * to_row, static_cast<const char*>(from) + i * from_row, static_cast<size_t>(bytes));
  }
}

}  // namespace

Tensor patches(const Tensor& x, int64_t p) {
  ensure(x.dims() == 4 && x.size(1) == x.size(2) && x.size(1) % p == 0, "patches of ", p, " in ", shown(x.shape()));
  const int64_t n = x.size(0), side = x.size(1), c = x.size(3), across = side / p;
  const Tensor y = Tensor::empty({n, across * across, p * p * c}, x.dtype());
  const Timed timed("patches", [&] { return passing_work(y, {&x, &y}); });
  with_element(x.dtype(), [&]<typename T>() {
    for_each_patch_row(n, side, c, p,
                       [&](int64_t pixel, int64_t at, int64_t count) { std::copy_n(x.data<T>() + pixel, count, y.data<T>() + at); });
  });
  if (Graph* graph = Graph::current()) graph->add("patches", {x}, y, {{"size", p}});
  if (Tape* tape = Tape::current()) {
    tape->record(y, {x}, [=](Tape& t, const Tensor& dy) {
      const Tensor dx = Tensor::empty(x.shape(), x.dtype());
      with_element(x.dtype(), [&]<typename T>() {
        for_each_patch_row(n, side, c, p,
                           [&](int64_t pixel, int64_t at, int64_t count) { std::copy_n(dy.data<T>() + at, count, dx.data<T>() + pixel); });
      });
      t.add(x, dx);
    });
  }
  return y;
}

Tensor embed_tokens(const Tensor& x, const Tensor& class_token, const Tensor& positions) {
  ensure(x.dims() == 3 && class_token.shape() == Shape{1, x.size(2)} && positions.shape() == Shape{1 + x.size(1), x.size(2)},
         "embed_tokens of ", shown(x.shape()), " with positions ", shown(positions.shape()));
  const int64_t n = x.size(0), tokens = 1 + x.size(1), width = x.size(2);
  const Tensor y = Tensor::empty({n, tokens, width}, x.dtype());
  {
    const Timed timed("embed_tokens", [&] { return passing_work(y, {&x, &positions, &y}); });
    with_element(x.dtype(), [&]<typename T>() { embed<T>(x, class_token.data<float>(), positions.data<float>(), y); });
  }
  if (Graph* graph = Graph::current()) graph->add("embed_tokens", {x, class_token, positions}, y);
  if (Tape* tape = Tape::current()) {
    tape->record(y, {x, class_token, positions}, [=](Tape& t, const Tensor& dy) {
      const Timed timed("embed_tokens backward", [&] { return passing_work(dy, {&dy, &dy, &dy}); });
      const Tensor dpositions = t.place_for(positions), dtoken = t.place_for(class_token), dx = Tensor::empty(x.shape(), x.dtype());
      with_element(dy.dtype(), [&]<typename T>() { sum_images<T>(dy, dpositions); });
      std::copy_n(dpositions.data<float>(), width, dtoken.data<float>());
      const int64_t row = width * size_of(dy.dtype());
      copy_rows(static_cast<const char*>(dy.raw()) + row, tokens * row, dx.raw(), (tokens - 1) * row, n, (tokens - 1) * row);
      t.add(class_token, dtoken);
      t.add(positions, dpositions);
      t.add(x, dx);
    });
  }
  return y;
}

Tensor first_tokens(const Tensor& x) {
  ensure(x.dims() == 3, "first_tokens of ", shown(x.shape()));
  const int64_t n = x.size(0), row = x.size(2) * size_of(x.dtype()), image = x.size(1) * row;
  const Tensor y = Tensor::empty({n, x.size(2)}, x.dtype());
  copy_rows(x.raw(), image, y.raw(), row, n, row);
  if (Graph* graph = Graph::current()) graph->add("first_tokens", {x}, y);
  if (Tape* tape = Tape::current()) {
    tape->record(y, {x}, [=](Tape& t, const Tensor& dy) {
      const Tensor dx = Tensor::zeros(x.shape(), x.dtype());
      copy_rows(dy.raw(), row, dx.raw(), image, n, row);
      t.add(x, dx);
    });
  }
  return y;
}

}  // namespace motley::ops
