// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/cpu/isa.h"
#include "kernels/cpu/pairs.h"
#include "kernels/cpu/product.h"
#include "ops/layout.h"
#include "ops/linear.h"
#include "ops/tape.h"
#include "product_reference.h"
#include "support/threads.h"

using namespace motley;
using namespace motley::test;

TEST_CASE("linear agrees with a double reference over awkward sizes, on every instruction set") {
  for_each_isa([] {
    for (int64_t rows : {1, 3, 6, 7, 17, 100}) {
      for (int64_t depth : {1, 3, 17, 64, 300, 1031}) {
        for (int64_t columns : {1, 4, 16, 17, 33, 100}) {
          const Tensor x = random_tensor({rows, depth}, 1), w = random_tensor({columns, depth}, 2), b = random_tensor({columns}, 3);
          ops::Epilogue e;
          e.bias = b;
          const Tensor y = ops::linear(x, w, e);
          std::vector<double> expected(static_cast<size_t>(rows * columns));
          for (int64_t i = 0; i < rows; ++i) {
            for (int64_t j = 0; j < columns; ++j) {
              double sum = b.data<float>()[j];
              for (int64_t k = 0; k < depth; ++k) sum += double(x.data<float>()[i * depth + k]) * w.data<float>()[j * depth + k];
              expected[static_cast<size_t>(i * columns + j)] = sum;
            }
          }
          CAPTURE(rows);
          CAPTURE(depth);
          CAPTURE(columns);
          CHECK(worst_error(y, expected) < 1e-6 * std::sqrt(double(depth)) + 1e-6);
        }
      }
    }
  });
}

TEST_CASE("a row's result depends on nothing but the row") {
  for_each_isa([] {
    const Tensor w = random_tensor({75, 700}, 4), x = random_tensor({64, 700}, 5);
    const Tensor all = ops::linear(x, w);
    const ops::Weight frozen(w);
    CHECK(same_bits(all, ops::linear(x, frozen)));
    CHECK(same_bits(all, ops::linear(x, frozen)));
    for (int64_t row : {0, 5, 63}) {
      const Tensor one = Tensor::of({1, 700}, x.data<float>() + row * 700);
      CHECK(std::memcmp(ops::linear(one, w).raw(), all.data<float>() + row * 75, 75 * 4) == 0);
    }
    const Threads scope(libtorch::threads() == 1 ? 3 : 1);
    CHECK(same_bits(all, ops::linear(x, w)));
  });
}

TEST_CASE("the epilogue adds bias, image term and residual, then activates") {
  struct Case {
    ops::Activation activation;
    double (*f)(double);
  };
  const Case cases[] = {{ops::Activation::none, [](double v) { return v; }},
                        {ops::Activation::silu, [](double v) { return v / (1 + std::exp(-v)); }},
                        {ops::Activation::relu, [](double v) { return v > 0 ? v : 0; }},
                        {ops::Activation::gelu, [](double v) { return 0.5 * v * (1 + std::erf(v * std::sqrt(0.5))); }},
                        {ops::Activation::quick_gelu, [](double v) { return v / (1 + std::exp(-1.702 * v)); }},
                        {ops::Activation::hard_swish, [](double v) { return v * std::min(std::max(v + 3, 0.0), 6.0) / 6; }}};
  for_each_isa([&] {
    for (const Case& c : cases) {
      for (int64_t columns : {5, 16, 40}) {
        const Tensor x = random_tensor({3, 7, 11}, 6), w = random_tensor({columns, 11}, 7);
        ops::Epilogue e;
        e.bias = random_tensor({columns}, 8);
        e.per_image = random_tensor({3, columns}, 9);
        e.residual = random_tensor({3, 7, columns}, 10);
        e.activation = c.activation;
        const Tensor y = ops::linear(x, w, e);
        std::vector<double> expected;
        for (int64_t i = 0; i < 21; ++i) {
          for (int64_t j = 0; j < columns; ++j) {
            double v = double(e.bias.data<float>()[j]) + e.per_image.data<float>()[i / 7 * columns + j] +
                       e.residual.data<float>()[i * columns + j];
            for (int64_t k = 0; k < 11; ++k) v += double(x.data<float>()[i * 11 + k]) * w.data<float>()[j * 11 + k];
            expected.push_back(c.f(v));
          }
        }
        CHECK(worst_error(y, expected) < 5e-6);
      }
    }
  });
}

TEST_CASE("16 bits in and out: f32 sums, rounded once") {
  for (DType type : {DType::bf16, DType::f16}) {
    for (auto [rows, depth, columns] :
         {std::tuple<int64_t, int64_t, int64_t>{9, 70, 24}, {1, 1, 1}, {3, 17, 5}, {7, 1031, 100}, {17, 64, 33}}) {
      const Tensor x = random_tensor({rows, depth}, 11).to(type), w = random_tensor({columns, depth}, 12).to(type);
      for_each_isa([&] {
        CAPTURE(columns);
        const Tensor wide = ops::linear(x.to(DType::f32), w.to(DType::f32)), y = ops::linear(x, w);
        REQUIRE(y.dtype() == type);
        CHECK(same_bits(y, wide.to(type)));
        if (type == DType::f16 || kernels::pair_unit() == nullptr) CHECK(same_bits(y, ops::linear(x, ops::Weight(w))));
      });
    }
  }
}

TEST_CASE("weights of halves are held exactly, for whichever instruction set they were made") {
  const Tensor halves = random_tensor({53, 70}, 13).to(DType::f16), weights = halves.to(DType::f32);  // to one of f32 and to one of f16
  const Tensor unit = Tensor::zeros({70, 70});
  for (int64_t i = 0; i < 70; ++i) unit.data<float>()[i * 71] = 1;
  for_each_isa([&] {
    ops::Weight made(Shape{53, 70}, DType::f16);
    made.fill(0, 20, DType::f16, halves.raw());
    made.fill(20, 33, DType::f32, weights.data<float>() + 20 * 70);
    const kernels::Isa at = kernels::isa();
    for (int reader = 1; reader <= static_cast<int>(kernels::best_isa()); ++reader) {
      kernels::limit_isa(static_cast<kernels::Isa>(reader));
      const Tensor columns = ops::linear(unit.to(DType::f16), made).to(DType::f32);  // (depth, outputs): the weights, transposed
      bool same = true;
      for (int64_t o = 0; o < 53; ++o) {
        for (int64_t k = 0; k < 70; ++k) same = same && columns.data<float>()[k * 53 + o] == weights.data<float>()[o * 70 + k];
      }
      CHECK(same);
    }
    kernels::limit_isa(at);
  });
}

TEST_CASE("a row in float16 depends on nothing but the row, and overflows to infinity") {
  for_each_isa([] {
    const Tensor x = random_tensor({5, 7, 9, 64}, 1).to(DType::f16);
    const ops::Weight w(random_tensor({48, 3, 3, 64}, 2).to(DType::f16)), doubling(random_tensor({33, 3, 3, 64}, 3).to(DType::f16));
    const Tensor all = ops::conv2d(x, w, ops::Conv2d::same(3)), large = ops::upsample_conv2d(x, doubling);
    for (int64_t n : {0, 2, 4}) {
      CHECK(same_bits(ops::slice(all, n, 1).clone(), ops::conv2d(ops::slice(x, n, 1), w, ops::Conv2d::same(3))));
      CHECK(same_bits(ops::slice(large, n, 1).clone(), ops::upsample_conv2d(ops::slice(x, n, 1), doubling)));
    }
    const float much[] = {60000, -60000, 1}, twice[] = {2};
    const Tensor y =
        ops::linear(Tensor::of({3, 1}, much).to(DType::f16), ops::Weight(Tensor::of({1, 1}, twice).to(DType::f16))).to(DType::f32);
    CHECK(y.data<float>()[0] == INFINITY);
    CHECK(y.data<float>()[1] == -INFINITY);
    CHECK(y.data<float>()[2] == 2);
  });
}

TEST_CASE("gradients of linear") {
  for_each_isa([] {
    const int64_t rows = 37, depth = 50, columns = 21;
    const Tensor x = random_tensor({rows, depth}, 13), w = random_tensor({columns, depth}, 14), b = random_tensor({columns}, 15);
    const Tensor dy = random_tensor({rows, columns}, 16);
    const Tensor dx = Tensor::empty(x.shape()), dw = Tensor::empty(w.shape()), db = Tensor::empty(b.shape());
    Tape tape;
    tape.watch(x, dx);
    tape.watch(w, dw);
    tape.watch(b, db);
    Tensor y;
    {
      Tape::Recording recording(tape);
      ops::Epilogue e;
      e.bias = b;
      y = ops::linear(x, w, e);
    }
    tape.backward(y, dy);
    std::vector<double> ex(static_cast<size_t>(x.numel())), ew(static_cast<size_t>(w.numel())), eb(static_cast<size_t>(columns));
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < columns; ++j) {
        const double g = dy.data<float>()[i * columns + j];
        eb[static_cast<size_t>(j)] += g;
        for (int64_t k = 0; k < depth; ++k) {
          ex[static_cast<size_t>(i * depth + k)] += g * w.data<float>()[j * depth + k];
          ew[static_cast<size_t>(j * depth + k)] += g * x.data<float>()[i * depth + k];
        }
      }
    }
    CHECK(worst_error(dx, ex) < 1e-5);
    CHECK(worst_error(dw, ew) < 1e-5);
    CHECK(worst_error(db, eb) < 1e-5);
  });
}

TEST_CASE("depth blocks cover the depth once, in order") {
  for (int64_t taps : {1, 4, 9, 49}) {
    for (int64_t channels : {1, 3, 21, 64, 255, 256, 257, 300, 1280, 2560}) {
      int64_t next = 0;
      for (const kernels::DepthBlock& b : kernels::depth_blocks(taps, channels)) {
        CHECK(b.tap_begin * channels + b.channel_begin == next);
        CHECK((b.tap_end == b.tap_begin + 1 || (b.channel_begin == 0 && b.channel_end == channels)));
        next = (b.tap_end - 1) * channels + b.channel_end;
      }
      CHECK(next == taps * channels);
    }
  }
}

TEST_CASE("work is cut where it needs the least preparation") {
  using kernels::choose_split;
  auto is = [](kernels::Split s, int64_t tiles, int64_t panels) { return s.tile_parts == tiles && s.panel_parts == panels; };
  CHECK(is(choose_split(1000, 4, 2, 0.05, 0.02, 96), 2, 1));  // packed weights: over rows
  CHECK(is(choose_split(22, 128, 2, 0.05, 0.5, 96), 1, 2));   // weights to pack: over columns
  CHECK(is(choose_split(1, 1, 8, 0.05, 0.5, 96), 1, 1));
  CHECK(is(choose_split(1, 64, 8, 0.05, 0.02, 96), 1, 8));
  CHECK(is(choose_split(960, 128, 2, 0.05, 0.5, 96), 2, 1));  // packed again for every chunk: no loss to a part of rows
  CHECK(is(choose_split(960, 128, 2, 0.05, 0.5, 960), 1, 2));
}
