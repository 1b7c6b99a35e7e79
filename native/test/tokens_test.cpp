// SPDX-License-Identifier: Apache-2.0
#include "ops/tokens.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>

#include "libtorch/convert.h"
#include "ops/linear.h"
#include "ops/tape.h"
#include "support/compare.h"

using namespace motley;

namespace {

Tensor random(Shape shape, uint32_t seed) {
  const auto values = test::normals(static_cast<size_t>(elements(shape)), seed);
  return Tensor::of(std::move(shape), values.data());
}

// <a, b>: a linear op f has the gradient that makes <f(x), dy> = <x, f'(dy)>
double dot(const Tensor& a, const Tensor& b) {
  double sum = 0;
  for (int64_t i = 0; i < a.numel(); ++i) sum += static_cast<double>(a.data<float>()[i]) * b.data<float>()[i];
  return sum;
}

}  // namespace

TEST_CASE("patches are rows of pixels, row by row, and their gradient goes back to the pixel") {
  for (auto [n, side, c, p] : {std::tuple<int64_t, int64_t, int64_t, int64_t>{2, 8, 3, 4}, {1, 6, 1, 2}, {3, 5, 3, 5}, {2, 3, 2, 1}}) {
    const Tensor x = random({n, side, side, c}, 1), dx = Tensor::zeros(x.shape());
    Tape tape;
    tape.watch(x, dx);
    Tensor y;
    {
      Tape::Recording recording(tape);
      y = ops::patches(x, p);
    }
    const int64_t across = side / p;
    REQUIRE(y.shape() == Shape{n, across * across, p * p * c});
    const float* at = y.data<float>();
    for (int64_t i = 0; i < n; ++i) {  // 'b c (h p1) (w p2) -> b (h w) (p1 p2 c)'
      for (int64_t h = 0; h < across; ++h) {
        for (int64_t w = 0; w < across; ++w) {
          for (int64_t p1 = 0; p1 < p; ++p1) {
            for (int64_t p2 = 0; p2 < p; ++p2) {
              for (int64_t k = 0; k < c; ++k) CHECK(*at++ == x.data<float>()[((i * side + h * p + p1) * side + w * p + p2) * c + k]);
            }
          }
        }
      }
    }
    tape.backward(y, y.clone());
    CHECK(std::memcmp(dx.raw(), x.raw(), static_cast<size_t>(x.bytes())) == 0);
  }
  CHECK_THROWS_AS(ops::patches(random({1, 6, 6, 3}, 1), 4), Error);
}

TEST_CASE("the class token comes first, each token has its position, and gradients reach them all") {
  constexpr int64_t n = 3, count = 4, width = 5;
  const Tensor x = random({n, count, width}, 1), token = random({1, width}, 2), positions = random({1 + count, width}, 3),
               dy = random({n, 1 + count, width}, 4);
  const Tensor dx = Tensor::zeros(x.shape()), dtoken = Tensor::zeros(token.shape()), dpositions = Tensor::zeros(positions.shape());
  Tape tape;
  tape.watch(x, dx);
  tape.watch(token, dtoken);
  tape.watch(positions, dpositions);
  Tensor y;
  {
    Tape::Recording recording(tape);
    y = ops::embed_tokens(x, token, positions);
  }
  tape.backward(y, dy.clone());
  for (int64_t t = 0; t <= count; ++t) {
    for (int64_t k = 0; k < width; ++k) {
      double sum = 0;
      for (int64_t i = 0; i < n; ++i) {
        const int64_t at = (i * (1 + count) + t) * width + k;
        const float before = t == 0 ? token.data<float>()[k] : x.data<float>()[(i * count + t - 1) * width + k];
        CHECK(y.data<float>()[at] == before + positions.data<float>()[t * width + k]);
        if (t > 0) CHECK(dx.data<float>()[(i * count + t - 1) * width + k] == dy.data<float>()[at]);
        sum += dy.data<float>()[at];
      }
      CHECK(dpositions.data<float>()[t * width + k] == doctest::Approx(sum).epsilon(1e-6));
      if (t == 0) CHECK(dtoken.data<float>()[k] == dpositions.data<float>()[k]);
    }
  }
}

TEST_CASE("the first token of each image, and where its gradient goes") {
  const Tensor x = random({3, 4, 5}, 1), dx = Tensor::zeros(x.shape()), dy = random({3, 5}, 2);
  for (DType type : {DType::f32, DType::bf16}) {
    const Tensor stored = x.to(type), y = ops::first_tokens(stored);
    for (int64_t i = 0; i < 3; ++i)
      CHECK(std::memcmp(static_cast<char*>(y.raw()) + i * 5 * size_of(type), static_cast<char*>(stored.raw()) + i * 20 * size_of(type),
                        static_cast<size_t>(5 * size_of(type))) == 0);
  }
  Tape tape;
  tape.watch(x, dx);
  Tensor y;
  {
    Tape::Recording recording(tape);
    y = ops::first_tokens(x);
  }
  tape.backward(y, dy.clone());
  CHECK(dot(y, dy) == dot(x, dx));
  CHECK(std::count(dx.data<float>(), dx.data<float>() + dx.numel(), 0.0f) == 3 * 3 * 5);
}

TEST_CASE("a dense layer with a residual is differentiable in all it takes") {
  const Tensor x = random({2, 3, 7}, 1), w = random({5, 7}, 2), b = random({5}, 3), r = random({2, 3, 5}, 4), dy = random({2, 3, 5}, 5);
  const Tensor dx = Tensor::zeros(x.shape()), dw = Tensor::zeros(w.shape()), db = Tensor::zeros(b.shape()), dr = Tensor::zeros(r.shape());
  Tape tape;
  for (const auto& [t, d] : {std::pair{x, dx}, {w, dw}, {b, db}, {r, dr}}) tape.watch(t, d);
  Tensor y;
  {
    Tape::Recording recording(tape);
    y = ops::linear(x, w, {b, {}, r, ops::Activation::none});
  }
  tape.backward(y, dy.clone());
  CHECK(std::memcmp(dr.raw(), dy.raw(), static_cast<size_t>(dy.bytes())) == 0);
  const Tensor plain = ops::linear(x, w, {b, {}, {}, ops::Activation::none});
  for (int64_t i = 0; i < y.numel(); ++i)
    CHECK(y.data<float>()[i] == doctest::Approx(plain.data<float>()[i] + r.data<float>()[i]).epsilon(1e-6));
  const Tensor product = ops::linear(x, w);  // bilinear in x and w
  CHECK(dot(x, dx) == doctest::Approx(dot(product, dy)).epsilon(1e-5));
  CHECK(dot(w, dw) == doctest::Approx(dot(product, dy)).epsilon(1e-5));
  for (int64_t k = 0; k < 5; ++k) {
    double sum = 0;
    for (int64_t i = 0; i < 6; ++i) sum += dy.data<float>()[i * 5 + k];
    CHECK(db.data<float>()[k] == doctest::Approx(sum).epsilon(1e-5));
  }
}
