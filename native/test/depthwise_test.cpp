// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution and its gradients against the definition in float64, over awkward sizes.
#include "kernels/cpu/depthwise.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "ops/depthwise.h"
#include "ops/tape.h"
#include "support/compare.h"
#include "support/golden.h"
#include "support/threads.h"

using namespace motley;
using kernels::Activation;
using kernels::DepthwiseShape;
using test::kUnit;

namespace {

struct Kernel {
  int64_t size, stride;
};
constexpr Kernel kKernels[] = {{3, 1}, {3, 2}, {5, 1}, {5, 2}, {7, 1}};

int64_t inputs(const DepthwiseShape& s) { return s.images * s.height * s.width * s.channels; }
int64_t outputs(const DepthwiseShape& s) { return s.images * s.out_height * s.out_width * s.channels; }
int64_t weights(const DepthwiseShape& s) { return s.channels * s.kernel * s.kernel; }

template <typename T>
std::vector<T> random(const char* name, int64_t n) {
  std::vector<T> out;
  for (float v : test::fill_input(name, {n})) out.push_back(from_float<T>(v));
  return out;
}

template <typename T>
std::vector<double> wide(const std::vector<T>& v) {
  std::vector<double> out;
  for (T e : v) out.push_back(to_float(e));
  return out;
}

// Largest |a - b| over the largest |b|
template <typename T>
double error(const std::vector<T>& a, const std::vector<double>& b) {
  double most = 0, largest = 1e-30;
  for (size_t i = 0; i < b.size(); ++i) {
    const double off = std::abs(static_cast<double>(to_float(a[i])) - b[i]);
    most = std::isnan(off) ? INFINITY : std::max(most, off);
    largest = std::max(largest, std::abs(b[i]));
  }
  return most / largest;
}

template <typename T>
std::vector<T> made(int64_t n) {  // what is not written stays a NaN
  return std::vector<T>(static_cast<size_t>(n), from_float<T>(std::numeric_limits<float>::quiet_NaN()));
}

template <typename T>
void check(const DepthwiseShape& s, double bound) {
  CAPTURE(s.images);
  CAPTURE(s.height);
  CAPTURE(s.width);
  CAPTURE(s.channels);
  CAPTURE(s.kernel);
  CAPTURE(s.stride);
  const auto x = random<T>("x", inputs(s)), dy = random<T>("dy", outputs(s));
  const auto w = random<float>("w", weights(s)), bias = random<float>("bias", s.channels);
  std::vector<double> y64(dy.size()), dx64(x.size()), dw64(w.size());
  kernels::reference::depthwise(s, wide(x).data(), wide(w).data(), wide(bias).data(), y64.data());
  kernels::reference::depthwise_backward(s, wide(dy).data(), wide(x).data(), wide(w).data(), dx64.data(), dw64.data());
  test::on_every_isa([&] {
    auto y = made<T>(outputs(s)), dx = made<T>(inputs(s));
    auto dw = made<float>(weights(s));
    kernels::depthwise_forward(s, x.data(), w.data(), bias.data(), Activation::none, y.data());
    kernels::depthwise_input_gradient(s, dy.data(), w.data(), dx.data(), false);
    kernels::depthwise_weight_gradient(s, dy.data(), x.data(), dw.data());
    CHECK(error(y, y64) < bound);
    CHECK(error(dx, dx64) < bound);
    CHECK(error(dw, dw64) < 32 * kUnit);
    kernels::depthwise_input_gradient(s, dy.data(), w.data(), dx.data(), true);
    for (double& d : dx64) d *= 2;
    CHECK(error(dx, dx64) < 2 * bound);
    for (double& d : dx64) d /= 2;
  });
}

}  // namespace

TEST_CASE("depthwise convolution and its gradients are the definition's") {
  for (const Kernel& k : kKernels) {
    for (int64_t height : {1, 2, 3, 5, 7, 8, 9, 17, 32, 33}) {
      for (int64_t width : {height, height % 9 + 1}) {
        for (int64_t channels : {1, 3, 8, 16, 17, 96}) {
          if (height > 9 && channels != 3 && channels != 17) continue;  // the reference is slow
          const auto s = kernels::depthwise_shape(channels == 96 ? 1 : 3, height, width, channels, k.size, k.stride);
          check<float>(s, 24 * kUnit);
          check<bf16>(s, 0x1p-8);
        }
      }
    }
  }
}

TEST_CASE("a depthwise result depends neither on the batch nor on the threads") {
  for (const Kernel& k : kKernels) {
    for (int64_t size : {1, 6, 11}) {
      const auto s = kernels::depthwise_shape(5, size, size, 37, k.size, k.stride);
      auto one = s;
      one.images = 1;
      const auto x = random<float>("x", inputs(s)), dy = random<float>("dy", outputs(s)), w = random<float>("w", weights(s));
      auto y = made<float>(outputs(s)), dx = made<float>(inputs(s)), dw = made<float>(weights(s));
      auto y1 = y, dx1 = dx, dw1 = dw;
      {
        const Threads threads(3);
        kernels::depthwise_forward(s, x.data(), w.data(), nullptr, Activation::none, y.data());
        kernels::depthwise_input_gradient(s, dy.data(), w.data(), dx.data(), false);
        kernels::depthwise_weight_gradient(s, dy.data(), x.data(), dw.data());
      }
      const Threads threads(1);
      for (int64_t i = 0; i < s.images; ++i) {
        kernels::depthwise_forward(one, x.data() + i * inputs(one), w.data(), nullptr, Activation::none, y1.data() + i * outputs(one));
        kernels::depthwise_input_gradient(one, dy.data() + i * outputs(one), w.data(), dx1.data() + i * inputs(one), false);
      }
      kernels::depthwise_weight_gradient(s, dy.data(), x.data(), dw1.data());
      CHECK(y == y1);
      CHECK(dx == dx1);
      CHECK(dw == dw1);
    }
  }
}

TEST_CASE("taps in the padding are left out, not multiplied by zero") {
  const auto s = kernels::depthwise_shape(1, 1, 1, 9, 7, 1);
  const auto x = random<float>("x", 9);
  auto w = made<float>(weights(s)), y = made<float>(9), dx = y, dw = made<float>(weights(s));
  for (size_t c = 0; c < 9; ++c) w[c * 49 + 24] = 2;
  kernels::depthwise_forward(s, x.data(), w.data(), nullptr, Activation::none, y.data());
  kernels::depthwise_input_gradient(s, x.data(), w.data(), dx.data(), false);
  kernels::depthwise_weight_gradient(s, x.data(), x.data(), dw.data());
  for (size_t c = 0; c < 9; ++c) {
    CHECK(y[c] == 2 * x[c]);
    CHECK(dx[c] == 2 * x[c]);
    for (size_t tap = 0; tap < 49; ++tap) CHECK(dw[c * 49 + tap] == (tap == 24 ? x[c] * x[c] : 0.0f));
  }
}

TEST_CASE("a depthwise convolution adds its bias, then applies the activation") {
  const auto s = kernels::depthwise_shape(2, 4, 4, 19, 3, 1);
  const auto x = random<float>("x", inputs(s)), w = random<float>("w", weights(s)), bias = random<float>("bias", s.channels);
  test::on_every_isa([&] {
    auto plain = made<float>(outputs(s)), y = plain;
    kernels::depthwise_forward(s, x.data(), w.data(), bias.data(), Activation::none, plain.data());
    kernels::depthwise_forward(s, x.data(), w.data(), bias.data(), Activation::relu, y.data());
    for (float& v : plain) v = std::max(v, 0.0f);
    CHECK(y == plain);
  });
}

TEST_CASE("the tape holds a depthwise convolution's gradients: in place, and added where x has one already") {
  const int64_t n = 2, h = 5, w = 4, c = 11;
  for (DType type : {DType::f32, DType::bf16}) {
    for (const Kernel& k : kKernels) {
      const auto s = kernels::depthwise_shape(n, h, w, c, k.size, k.stride);
      const auto v = test::fill_input("x", {inputs(s)});
      const Tensor x = Tensor::of({n, h, w, c}, v.data()).to(type),
                   weight = Tensor::of({c, k.size, k.size, 1}, random<float>("w", weights(s)).data());
      const Tensor bias = Tensor::of({c}, random<float>("bias", c).data());
      const Tensor dy = Tensor::of({n, s.out_height, s.out_width, c}, random<float>("dy", outputs(s)).data()).to(type);
      const Tensor dx2 = Tensor::of(x.shape(), random<float>("dx2", inputs(s)).data()).to(type), dx = Tensor::zeros(x.shape(), type),
                   dw = Tensor::zeros(weight.shape()), db = Tensor::zeros({c});
      Tape tape;
      tape.watch(x, dx);
      tape.watch(weight, dw);
      tape.watch(bias, db);
      Tensor y, both;
      {
        Tape::Recording recording(tape);
        y = ops::depthwise_conv2d(x, weight, k.stride, bias);
        // x is used once more: as it is, so that a gradient of its own, dx2, comes first
        both = Tensor::empty({1});
        tape.record(both, {x, y}, [=](Tape& t, const Tensor&) {
          t.add(x, dx2.clone());
          t.add(y, dy.clone());
        });
      }
      tape.backward(both, Tensor::zeros({1}));
      const Tensor x32 = x.to(DType::f32), dy32 = dy.to(DType::f32), dx32 = dx.to(DType::f32), more = dx2.to(DType::f32);
      const auto all = [](const Tensor& t) { return std::vector<double>(t.data<float>(), t.data<float>() + t.numel()); };
      std::vector<double> y64(static_cast<size_t>(outputs(s))), dx64(static_cast<size_t>(inputs(s))), dw64(static_cast<size_t>(weights(s))),
          db64(static_cast<size_t>(c));
      kernels::reference::depthwise(s, all(x32).data(), all(weight).data(), all(bias).data(), y64.data());
      kernels::reference::depthwise_backward(s, all(dy32).data(), all(x32).data(), all(weight).data(), dx64.data(), dw64.data());
      for (int64_t i = 0; i < dy.numel(); ++i) db64[static_cast<size_t>(i % c)] += static_cast<double>(dy32.data<float>()[i]);
      for (int64_t i = 0; i < x.numel(); ++i) dx64[static_cast<size_t>(i)] += static_cast<double>(more.data<float>()[i]);
      const double bound = type == DType::f32 ? 24 * kUnit : 0x1p-8;
      const auto floats = [](const Tensor& t) { return std::vector<float>(t.data<float>(), t.data<float>() + t.numel()); };
      CHECK(error(floats(y.to(DType::f32)), y64) < bound);
      CHECK(error(floats(dx32), dx64) < bound);
      CHECK(error(floats(dw), dw64) < 24 * kUnit);
      CHECK(error(floats(db), db64) < 24 * kUnit);
    }
  }
}

TEST_CASE("a depthwise convolution refuses what does not fit") {
  const Tensor x = Tensor::zeros({1, 4, 4, 6});
  CHECK_THROWS_AS(ops::depthwise_conv2d(x, Tensor::zeros({5, 3, 3, 1})), Error);
  CHECK_THROWS_AS(ops::depthwise_conv2d(x, Tensor::zeros({6, 3, 3, 6})), Error);
  CHECK_THROWS_AS(ops::depthwise_conv2d(x, Tensor::zeros({6, 4, 4, 1})), Error);
  CHECK_THROWS_AS(ops::depthwise_conv2d(x, Tensor::zeros({6, 7, 7, 1}), 2), Error);
  CHECK_THROWS_AS(ops::depthwise_conv2d(x, Tensor::zeros({6, 3, 3, 1}), 1, Tensor::zeros({5})), Error);
}
