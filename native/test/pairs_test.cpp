// SPDX-License-Identifier: Apache-2.0
// The products of bf16 units, on the CPU's own where it has them, and written out instruction by instruction everywhere.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "libtorch/parallel.h"
#include "ops/layout.h"
#include "ops/linear.h"
#include "product_reference.h"
#include "support/emulated_units.h"

using namespace motley;
using namespace motley::test;

namespace {

Tensor rounded(Shape shape, unsigned seed) { return random_tensor(std::move(shape), seed).to(DType::bf16); }

// float32 from bf16 inputs by the kernels of any CPU: exact products, float32 sums; compared before the last rounding to bf16.
void close(const Tensor& got, const Tensor& wanted, double depth) {
  REQUIRE(got.shape() == wanted.shape());
  REQUIRE(got.dtype() == DType::bf16);
  double worst = 0;
  for (int64_t i = 0; i < got.numel(); ++i) {
    const double w = wanted.data<float>()[i], error = std::abs(to_float(got.data<bf16>()[i]) - w);
    // half a unit of bf16, and the sums' own rounding
    const double allowed = std::abs(w) * 0x1p-8 + 1e-6 * std::sqrt(depth) + 1e-30;
    worst = std::max(worst, error / allowed);
    if (!(error <= allowed)) worst = INFINITY;
  }
  CHECK(worst <= 1);
}

struct Case {
  int64_t n, h, w, c, o, kernel;
  ops::Conv2d how;
};
const Case kCases[] = {
    {2, 8, 8, 32, 40, 3, ops::Conv2d::same(3)},    {1, 5, 7, 64, 16, 3, ops::Conv2d::same(3)},
    {3, 4, 4, 24, 33, 3, ops::Conv2d::same(3, 2)}, {1, 9, 9, 4, 70, 3, ops::Conv2d::same(3)},
    {1, 9, 9, 3, 5, 3, ops::Conv2d::same(3)},      {2, 6, 6, 20, 7, 1, ops::Conv2d::same(1)},
    {1, 3, 3, 640, 48, 3, ops::Conv2d::same(3)},   {2, 7, 7, 32, 17, 3, {2, 0, 0, 1, 1}},
    {1, 16, 16, 128, 64, 1, ops::Conv2d::same(1)}, {1, 1, 1, 5, 1, 1, ops::Conv2d::same(1)},
    {1, 20, 31, 96, 32, 3, ops::Conv2d::same(3)},
};

}  // namespace

TEST_CASE("convolutions in pairs are those of any CPU") {
  for (const Case& k : kCases) {
    CAPTURE(k.c);
    CAPTURE(k.o);
    CAPTURE(k.h);
    const Tensor x = rounded({k.n, k.h, k.w, k.c}, 1), w = rounded({k.o, k.kernel, k.kernel, k.c}, 2);
    ops::Epilogue e;
    e.bias = random_tensor({k.o}, 3);
    e.per_image = random_tensor({k.n, k.o}, 4);
    const Tensor plain = ops::conv2d(x.to(DType::f32), w.to(DType::f32), k.how, e);
    const Tensor residual = rounded(plain.shape(), 5);
    e.activation = ops::Activation::silu;
    e.residual = residual.to(DType::f32);
    const Tensor wanted = ops::conv2d(x.to(DType::f32), w.to(DType::f32), k.how, e);
    e.residual = residual;
    const ops::Weight frozen(w);
    for_each_unit([&] { close(ops::conv2d(x, frozen, k.how, e), wanted, static_cast<double>(k.c * k.kernel * k.kernel)); });
  }
}

TEST_CASE("dense layers in pairs, in place and written out") {
  for (auto [rows, depth, columns] :
       {std::tuple<int64_t, int64_t, int64_t>{77, 768, 96}, {64, 320, 320}, {1, 1280, 33}, {13, 50, 20}, {300, 1600, 31}, {16, 32, 16}}) {
    CAPTURE(rows);
    CAPTURE(depth);
    const Tensor x = rounded({rows, depth}, 1), w = rounded({columns, depth}, 2);
    ops::Epilogue e;
    e.bias = random_tensor({columns}, 3);
    const Tensor wanted = ops::linear(x.to(DType::f32), w.to(DType::f32), e);
    const ops::Weight frozen(w);
    for_each_unit([&] { close(ops::linear(x, frozen, e), wanted, static_cast<double>(depth)); });
  }
}

TEST_CASE("upsampling in pairs is doubling, then a convolution, but for the rounding of the phases' weights") {
  const Tensor x = rounded({2, 5, 3, 32}, 1), w = rounded({20, 3, 3, 32}, 2);
  const Tensor wanted = ops::conv2d(ops::doubled(x.to(DType::f32), 10, 6), w.to(DType::f32), ops::Conv2d::same(3));
  for_each_unit([&] {
    const Tensor y = ops::upsample_conv2d(x, ops::Weight(w));
    REQUIRE(y.shape() == wanted.shape());
    double squares = 0, size = 0;
    for (int64_t i = 0; i < y.numel(); ++i) {
      squares += std::pow(to_float(y.data<bf16>()[i]) - wanted.data<float>()[i], 2);
      size += std::pow(wanted.data<float>()[i], 2);
    }
    CHECK(std::sqrt(squares / size) < 0x1p-8);
  });
}

TEST_CASE("a row in pairs depends on nothing but the row, nor on the threads") {
  for_each_unit([] {
    const Tensor x = rounded({5, 7, 9, 64}, 1), w = rounded({48, 3, 3, 64}, 2);
    const ops::Weight frozen(w);
    const Tensor all = ops::conv2d(x, frozen, ops::Conv2d::same(3));
    for (int64_t n : {0, 2, 4})
      CHECK(same_bits(ops::slice(all, n, 1).clone(), ops::conv2d(ops::slice(x, n, 1), frozen, ops::Conv2d::same(3))));
    const Tensor rows = rounded({61, 1600}, 3), v = rounded({40, 1600}, 4);
    const ops::Weight dense(v);
    const Tensor every = ops::linear(rows, dense);
    for (int64_t r : {0, 31, 60}) CHECK(same_bits(ops::slice(every, r, 1).clone(), ops::linear(ops::slice(rows, r, 1), dense)));
  });
}
