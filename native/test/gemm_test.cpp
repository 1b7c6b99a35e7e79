// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/cpu/isa.h"
#include "kernels/cpu/product.h"
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
                        {ops::Activation::quick_gelu, [](double v) { return v / (1 + std::exp(-1.702 * v)); }}};
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
            double v = double(e.bias.data<float>()[j]) + e.per_image.data<float>()[i / 7 * columns + j] + e.residual.data<float>()[i * columns + j];
            for (int64_t k = 0; k < 11; ++k) v += double(x.data<float>()[i * 11 + k]) * w.data<float>()[j * 11 + k];
            expected.push_back(c.f(v));
          }
        }
        CHECK(worst_error(y, expected) < 5e-6);
      }
    }
  });
}

TEST_CASE("bf16 in and out: f32 sums, rounded once") {
  for_each_isa([] {
    const Tensor x = random_tensor({9, 70}, 11).to(DType::bf16), w = random_tensor({24, 70}, 12).to(DType::bf16);
    const Tensor wide = ops::linear(x.to(DType::f32), w.to(DType::f32)), y = ops::linear(x, w);
    REQUIRE(y.dtype() == DType::bf16);
    CHECK(same_bits(y, wide.to(DType::bf16)));
    CHECK(same_bits(y, ops::linear(x, ops::Weight(w))));
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
  CHECK(is(choose_split(1000, 4, 2, 0.05, 0.02, 96), 2, 1));    // packed weights: over rows
  CHECK(is(choose_split(22, 128, 2, 0.05, 0.5, 96), 1, 2));     // weights to pack: over columns
  CHECK(is(choose_split(1, 1, 8, 0.05, 0.5, 96), 1, 1));
  CHECK(is(choose_split(1, 64, 8, 0.05, 0.02, 96), 1, 8));
  CHECK(is(choose_split(960, 128, 2, 0.05, 0.5, 96), 2, 1));   // packed again for every chunk: no loss to a part of rows
  CHECK(is(choose_split(960, 128, 2, 0.05, 0.5, 960), 1, 2));
}
