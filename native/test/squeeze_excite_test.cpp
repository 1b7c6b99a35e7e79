// SPDX-License-Identifier: Apache-2.0
// Squeeze-and-excitation, hard-swish and ReLU, forward and backward, against float64.
#include "kernels/cpu/squeeze_excite.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "kernels/cpu/pooling.h"
#include "kernels/cpu/rowwise.h"
#include "ops/normalise.h"
#include "ops/squeeze_excite.h"
#include "ops/tape.h"
#include "support/compare.h"
#include "support/golden.h"
#include "support/threads.h"

using namespace motley;
using kernels::Activation;
using test::kUnit;

namespace {

using Values = std::vector<double>;

template <typename T>
std::vector<T> random(const char* name, int64_t n, double scale = 1) {
  std::vector<T> out;
  for (float v : test::fill_input(name, {n}, scale)) out.push_back(from_float<T>(v));
  return out;
}

template <typename T>
Values wide(const std::vector<T>& v) {
  Values out;
  for (T e : v) out.push_back(to_float(e));
  return out;
}
Values wide(const Tensor& t) {
  const Tensor f = t.to(DType::f32);
  return {f.data<float>(), f.data<float>() + f.numel()};
}

// Largest |a - b| over the largest |b|
double error(const Values& a, const Values& b) {
  double most = 0, largest = 1e-30;
  for (size_t i = 0; i < b.size(); ++i) {
    const double off = std::abs(a[i] - b[i]);
    most = std::isnan(off) ? INFINITY : std::max(most, off);
    largest = std::max(largest, std::abs(b[i]));
  }
  return most / largest;
}

template <typename T>
void check_loops(int64_t pixels, int64_t channels, double bound) {
  CAPTURE(pixels);
  CAPTURE(channels);
  const auto x = random<T>("x", pixels * channels), dy = random<T>("dy", pixels * channels);
  const auto s = random<float>("s", channels, 5), dmean = random<float>("dmean", channels);
  Values mean64(s.size()), y64(x.size()), dx64(x.size()), ds64(s.size());
  kernels::reference::mean(wide(x).data(), pixels, channels, mean64.data());
  kernels::reference::excite(wide(x).data(), wide(s).data(), pixels, channels, y64.data());
  kernels::reference::excite_backward(wide(dy).data(), wide(x).data(), wide(s).data(), pixels, channels, dx64.data(), ds64.data());
  const auto& loops = kernels::squeeze_excite_loops<T>();
  std::vector<T> y(x.size()), dx = dy, spread(x.size());
  std::vector<float> mean(s.size()), ds(s.size());
  loops.mean(x.data(), pixels, channels, mean.data());
  loops.excite(x.data(), s.data(), pixels, channels, y.data());
  loops.excite_backward(dx.data(), x.data(), s.data(), pixels, channels, dx.data(), ds.data());  // in place
  loops.mean_backward(dmean.data(), pixels, channels, false, spread.data());
  const double sums = static_cast<double>(pixels) * kUnit / std::sqrt(static_cast<double>(pixels));
  CHECK(error(wide(mean), mean64) < 16 * sums);
  CHECK(error(wide(y), y64) < bound);
  CHECK(error(wide(dx), dx64) < bound);
  CHECK(error(wide(ds), ds64) < 16 * sums);
  Values each(x.size());
  for (size_t i = 0; i < each.size(); ++i) each[i] = static_cast<double>(dmean[i % dmean.size()]) / static_cast<double>(pixels);
  CHECK(error(wide(spread), each) < bound);
  loops.mean_backward(dmean.data(), pixels, channels, true, spread.data());
  for (double& v : each) v *= 2;
  CHECK(error(wide(spread), each) < 2 * bound);
}

ops::SqueezeExcite layer_of(int64_t channels, int64_t squeezed) {
  const auto tensor = [](const char* name, Shape shape, double scale) {
    return Tensor::of(shape, test::fill_input(name, shape, scale).data());
  };
  // the second layer's results lie on all three pieces of the hard sigmoid
  return {tensor("w1", {squeezed, 1, 1, channels}, 3), tensor("b1", {squeezed}, 0.5), tensor("w2", {channels, 1, 1, squeezed}, 6),
          tensor("b2", {channels}, 4)};
}

// sum of squeeze_excite(x) * dy in float64
double loss_of(int64_t images, int64_t pixels, int64_t channels, int64_t squeezed, const std::vector<Values>& v, const Values& dy) {
  const Values &x = v[0], &w1 = v[1], &b1 = v[2], &w2 = v[3], &b2 = v[4];
  const auto c = static_cast<size_t>(channels), k = static_cast<size_t>(squeezed), p = static_cast<size_t>(pixels);
  double sum = 0;
  for (size_t i = 0; i < static_cast<size_t>(images); ++i) {
    Values mean(c), hidden(b1), s(b2);
    for (size_t at = 0; at < p * c; ++at) mean[at % c] += x[i * p * c + at] / static_cast<double>(pixels);
    for (size_t h = 0; h < k; ++h) {
      for (size_t j = 0; j < c; ++j) hidden[h] += w1[h * c + j] * mean[j];
      hidden[h] = std::max(hidden[h], 0.0);
    }
    for (size_t j = 0; j < c; ++j) {
      for (size_t h = 0; h < k; ++h) s[j] += w2[j * k + h] * hidden[h];
    }
    for (size_t at = 0; at < p * c; ++at) sum += dy[i * p * c + at] * x[i * p * c + at] * std::clamp(s[at % c] + 3, 0.0, 6.0) / 6;
  }
  return sum;
}

}  // namespace

TEST_CASE("means of channels and their excitation, forward and backward") {
  test::on_every_isa([] {
    for (int64_t pixels : {1, 2, 9, 64, 1000}) {
      for (int64_t channels : {1, 3, 8, 16, 17, 72, 576}) {
        check_loops<float>(pixels, channels, 4 * kUnit);
        check_loops<bf16>(pixels, channels, 0x1p-8);
      }
    }
  });
}

TEST_CASE("gradients of squeeze_excite") {
  constexpr int64_t kImages = 3, kChannels = 7, kSqueezed = 4;
  for (int64_t side : {1, 3}) {
    const auto layer = layer_of(kChannels, kSqueezed);
    const Shape shape{kImages, side, side, kChannels};
    const Tensor x = Tensor::of(shape, test::fill_input("x", shape).data()), dy = Tensor::of(shape, test::fill_input("dy", shape).data());
    const std::vector<Tensor> inputs{x, layer.squeeze_weight, layer.squeeze_bias, layer.excite_weight, layer.excite_bias};
    std::vector<Tensor> gradients;
    Tape tape;
    for (const Tensor& t : inputs) tape.watch(t, gradients.emplace_back(Tensor::zeros(t.shape())));
    Tensor y;
    {
      Tape::Recording recording(tape);
      y = ops::squeeze_excite(x, layer);
    }
    tape.backward(y, dy.clone());
    std::vector<Values> values;
    for (const Tensor& t : inputs) values.push_back(wide(t));
    const auto loss = [&] { return loss_of(kImages, side * side, kChannels, kSqueezed, values, wide(dy)); };
    double sum = 0;
    for (size_t i = 0; i < wide(y).size(); ++i) sum += wide(y)[i] * wide(dy)[i];
    CHECK(sum == doctest::Approx(loss()).epsilon(1e-6));
    for (size_t i = 0; i < inputs.size(); ++i) {
      CAPTURE(i);
      Values exact;
      for (double& v : values[i]) {
        constexpr double kStep = 1e-5;
        const double at = v;
        v = at + kStep;
        const double up = loss();
        v = at - kStep;
        const double down = loss();
        v = at;
        exact.push_back((up - down) / (2 * kStep));
      }
      CHECK(error(wide(gradients[i]), exact) < 1e-5);
    }
  }
}

TEST_CASE("squeeze_excite of 16-bit activations is rounded once, and an image's result does not depend on its batch or the threads") {
  const auto layer = layer_of(24, 8);
  const Shape shape{5, 4, 3, 24};
  const Tensor x = Tensor::of(shape, test::fill_input("x", shape).data()).to(DType::bf16);
  const Values narrow = wide(ops::squeeze_excite(x, layer)), full = wide(ops::squeeze_excite(x.to(DType::f32), layer).to(DType::bf16));
  CHECK(narrow == full);
  const Threads threads(libtorch::threads() == 1 ? 3 : 1);
  const int64_t one = 4 * 3 * 24;
  for (int64_t i = 0; i < 5; ++i) {
    const Values image =
        wide(ops::squeeze_excite(Tensor::of({1, 4, 3, 24}, x.to(DType::f32).data<float>() + i * one).to(DType::bf16), layer));
    CHECK(std::equal(image.begin(), image.end(), narrow.begin() + i * one));
  }
}

TEST_CASE("hard-swish and ReLU have torch's slopes, at the corners too") {
  std::vector<float> x{-3, 0, 3, -INFINITY, INFINITY};
  for (int i = -60; i <= 60; ++i) x.push_back(static_cast<float>(i) * 0.07f);
  const auto n = static_cast<int64_t>(x.size());
  test::on_every_isa([&] {
    for (Activation activation : {Activation::hard_swish, Activation::relu}) {
      const Tensor in = Tensor::of({n}, x.data()), dx = Tensor::zeros({n}), dy = Tensor::of({n}, test::fill_input("dy", {n}).data());
      Tape tape;
      tape.watch(in, dx);
      Tensor y;
      {
        Tape::Recording recording(tape);
        y = ops::activate(in, activation);
      }
      tape.backward(y, dy.clone());
      for (int64_t i = 0; i < n; ++i) {
        const double v = x[static_cast<size_t>(i)];
        const double slope = activation == Activation::relu ? (v > 0 ? 1.0 : 0.0) : kernels::reference::hard_swish_slope(v);
        CHECK(dx.data<float>()[i] == doctest::Approx(slope * static_cast<double>(dy.data<float>()[i])).epsilon(1e-6));
      }
    }
  });
  CHECK(kernels::reference::hard_swish_slope(-3) == -0.5);
  CHECK(kernels::reference::hard_swish_slope(3) == 1.5);
}
