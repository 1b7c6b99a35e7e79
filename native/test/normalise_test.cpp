// SPDX-License-Identifier: Apache-2.0
#include "ops/normalise.h"

#include <doctest/doctest.h>

#include <cstring>

#include "kernels/cpu/group_norm.h"
#include "kernels/cpu/rowwise.h"
#include "libtorch/call.h"
#include "support/compare.h"

using namespace motley;
using namespace motley::test;

namespace {

Tensor tensor(Shape shape, const std::vector<float>& values) { return Tensor::of(std::move(shape), values.data()); }

std::vector<float> list(const Tensor& t) {
  const Tensor f = t.to(DType::f32);
  return {f.data<float>(), f.data<float>() + f.numel()};
}

std::vector<double> exact_group_norm(const std::vector<float>& x, int64_t n, int64_t pixels, int64_t c, int64_t groups, double eps,
                                     const std::vector<float>& w, const std::vector<float>& b, bool silu) {
  std::vector<double> y(x.size());
  for (int64_t i = 0; i < n; ++i) {
    kernels::reference::group_norm(x.data() + i * pixels * c, y.data() + i * pixels * c, pixels, c, groups, eps, w.data(), b.data(), silu);
  }
  return y;
}

}  // namespace

TEST_CASE("group norm agrees with float64 over awkward sizes") {
  struct Case {
    int64_t n, h, w, c, groups;
  };
  for (const Case& k : {Case{1, 1, 1, 4, 2},
                        {2, 3, 5, 6, 3},
                        {3, 8, 8, 64, 16},
                        {1, 17, 9, 100, 4},
                        {2, 4, 4, 33, 1},
                        {1, 40, 40, 96, 16},
                        {2, 64, 64, 48, 8}}) {
    const auto x = normals(static_cast<size_t>(k.n * k.h * k.w * k.c), 1, 3.0, 2.0), w = normals(static_cast<size_t>(k.c), 2, 1, 0.2),
               b = normals(static_cast<size_t>(k.c), 3);
    for (bool silu : {false, true}) {
      const auto exact = exact_group_norm(x, k.n, k.h * k.w, k.c, k.groups, 1e-6, w, b, silu);
      on_every_isa([&] {
        const auto y = list(ops::group_norm(tensor({k.n, k.h, k.w, k.c}, x), k.groups, 1e-6, tensor({k.c}, w), tensor({k.c}, b),
                                            silu ? ops::Activation::silu : ops::Activation::none));
        CHECK(worst(y, exact) < 2e-6);
      });
    }
  }
}

TEST_CASE("group norm is no less accurate than torch's, also where the mean dwarfs the deviation") {
  constexpr int64_t n = 1, h = 32, w = 32, c = 64, groups = 16;
  for (double mean : {0.0, 10.0, 300.0}) {
    const auto x = normals(h * w * c, 5, mean, 1.0), scale = normals(c, 6, 1, 0.1), offset = normals(c, 7);
    const auto exact = exact_group_norm(x, n, h * w, c, groups, 1e-5, scale, offset, false);
    const Tensor xt = tensor({n, h, w, c}, x), wt = tensor({c}, scale), bt = tensor({c}, offset);
    const auto torch = list(libtorch::Call("aten::native_group_norm")
                                .tensor(xt, libtorch::View::channels_last)
                                .optional(wt)
                                .optional(bt)
                                .integer(n)
                                .integer(c)
                                .integer(h * w)
                                .integer(groups)
                                .real(1e-5)
                                .run(1, libtorch::View::channels_last)[0]);
    const auto ours = list(ops::group_norm(xt, groups, 1e-5, wt, bt, ops::Activation::none));
    MESSAGE("mean ", mean, ": error ", worst(ours, exact), ", torch's ", worst(torch, exact));
    CHECK(worst(ours, exact) <= worst(torch, exact) * 1.1 + 1e-7);
  }
}

TEST_CASE("group norm of an image does not depend on its batch, and keeps NaN") {
  constexpr int64_t pixels = 72, c = 40;
  auto x = normals(5 * pixels * c, 8);
  const auto w = normals(c, 9), b = normals(c, 10);
  x[4 * pixels * c + 17] = NAN;
  const auto all = list(ops::group_norm(tensor({5, 8, 9, c}, x), 8, 1e-5, tensor({c}, w), tensor({c}, b), ops::Activation::silu));
  const std::vector<float> third(x.begin() + 2 * pixels * c, x.begin() + 3 * pixels * c);
  const auto one = list(ops::group_norm(tensor({1, 8, 9, c}, third), 8, 1e-5, tensor({c}, w), tensor({c}, b), ops::Activation::silu));
  CHECK(std::equal(one.begin(), one.end(), all.begin() + 2 * pixels * c));
  CHECK(std::isnan(all[4 * pixels * c + 17]));
}

TEST_CASE("layer norm agrees with float64 over awkward sizes") {
  for (int64_t width : {1, 3, 17, 48, 64, 100, 320, 1283}) {
    const int64_t rows = 7;
    const auto x = normals(static_cast<size_t>(rows * width), 11, 5.0, 3.0), w = normals(static_cast<size_t>(width), 12, 1, 0.2),
               b = normals(static_cast<size_t>(width), 13);
    std::vector<double> exact(x.size());
    kernels::reference::layer_norm(x.data(), exact.data(), rows, width, 1e-5, w.data(), b.data());
    on_every_isa([&] {
      CHECK(worst(list(ops::layer_norm(tensor({rows, width}, x), 1e-5, tensor({width}, w), tensor({width}, b))), exact) < 3e-6);
    });
  }
}

TEST_CASE("activations agree with float64 over their whole range") {
  std::vector<float> x;
  for (int i = -4000; i <= 4000; ++i) x.push_back(static_cast<float>(i) * 0.005f);
  for (float far : {-200.0f, -90.0f, -88.0f, 60.0f, 90.0f, 200.0f, 1e30f}) x.push_back(far);
  const auto n = static_cast<int64_t>(x.size());
  using Exact = double (*)(double);
  for (const auto& [activation, exact] : {std::pair<ops::Activation, Exact>{ops::Activation::silu, kernels::reference::silu},
                                          {ops::Activation::gelu, kernels::reference::gelu},
                                          {ops::Activation::quick_gelu, kernels::reference::quick_gelu},
                                          {ops::Activation::hard_swish, kernels::reference::hard_swish}}) {
    std::vector<double> expected;
    for (float v : x) expected.push_back(exact(v));
    on_every_isa([&] {
      CHECK(worst(list(ops::activate(tensor({n}, x), activation)), expected) < 4e-7);
      const auto ends = list(ops::activate(tensor({3}, {NAN, INFINITY, -1e30f}), activation));
      CHECK(std::isnan(ends[0]));
      CHECK(ends[1] == INFINITY);
      CHECK(std::abs(ends[2]) < 1e-6);
    });
  }
}

TEST_CASE("GELU keeps the digits of negative arguments") {
  std::vector<float> x;
  for (int i = 1; i <= 400; ++i) x.push_back(static_cast<float>(i) * -0.01f);
  on_every_isa([&] {
    const auto y = list(ops::activate(tensor({400}, x), ops::Activation::gelu));
    for (size_t i = 0; i < x.size(); ++i) CHECK(std::abs(y[i] / kernels::reference::gelu(x[i]) - 1) < 4e-4);
  });
}

TEST_CASE("geglu multiplies the first half by the exact GELU of the second") {
  for (int64_t width : {1, 5, 16, 37, 128}) {
    const auto x = normals(static_cast<size_t>(3 * 2 * width), 14, 0, 2);
    std::vector<double> expected;
    for (int64_t r = 0; r < 3; ++r) {
      for (int64_t i = 0; i < width; ++i) {
        expected.push_back(x[static_cast<size_t>(r * 2 * width + i)] *
                           kernels::reference::gelu(x[static_cast<size_t>(r * 2 * width + width + i)]));
      }
    }
    on_every_isa([&] { CHECK(worst(list(ops::geglu(tensor({3, 2 * width}, x))), expected) < 1e-6); });
  }
}

TEST_CASE("the kernels take 16-bit numbers and round once") {
  for (DType type : {DType::bf16, DType::f16}) {
    for (int64_t width : {1, 3, 17, 50, 64, 100, 323}) {
      const auto n = static_cast<size_t>(width);
      const Tensor x = tensor({2, 3, 5, 2 * width}, normals(60 * n, 15, 1, 2)).to(type), wide = x.to(DType::f32);
      const Tensor w = tensor({2 * width}, normals(2 * n, 16, 1, 0.1)), b = tensor({2 * width}, normals(2 * n, 17));
      CAPTURE(width);
      on_every_isa([&] {
        auto rounded_once = [&](const auto& op) {
          const Tensor y = op(x), expected = op(wide).to(type);
          REQUIRE(y.dtype() == type);
          CHECK(std::memcmp(y.raw(), expected.raw(), static_cast<size_t>(y.bytes())) == 0);
        };
        rounded_once([&](const Tensor& t) { return ops::group_norm(t, 2, 1e-5, w, b, ops::Activation::silu); });
        rounded_once([&](const Tensor& t) { return ops::layer_norm(t, 1e-5, w, b); });
        rounded_once([&](const Tensor& t) { return ops::geglu(t); });
        for (auto f : {ops::Activation::silu, ops::Activation::relu, ops::Activation::gelu, ops::Activation::quick_gelu,
                       ops::Activation::hard_swish}) {
          rounded_once([&](const Tensor& t) { return ops::activate(t, f); });
        }
      });
    }
  }
}
