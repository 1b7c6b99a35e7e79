// SPDX-License-Identifier: Apache-2.0
// Gradients of the ops against central differences of float64 references.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <vector>

#include "kernels/cpu/batch_norm.h"
#include "kernels/cpu/cross_entropy.h"
#include "kernels/cpu/pooling.h"
#include "kernels/cpu/rowwise.h"
#include "libtorch/call.h"
#include "ops/batch_norm.h"
#include "ops/cast.h"
#include "ops/layout.h"
#include "ops/linear.h"
#include "ops/loss.h"
#include "ops/normalise.h"
#include "ops/pooling.h"
#include "ops/tape.h"
#include "support/compare.h"
#include "support/golden.h"

using namespace motley;

namespace {

using Values = std::vector<double>;

Values wide(const Tensor& t) { return {t.data<float>(), t.data<float>() + t.numel()}; }

Tensor filled(const char* name, Shape shape, double scale = 1, double offset = 0) {
  auto v = test::fill_input(name, shape, scale);
  for (float& x : v) x += static_cast<float>(offset);
  return Tensor::of(std::move(shape), v.data());
}

// d(loss)/d(x) of a float64 function by central differences, compared with `gradient`.
void check_gradient(const char* what, const std::function<double(const Values&)>& loss, Values x, const Tensor& gradient) {
  constexpr double kStep = 1e-5;
  double worst = 0, largest = 1e-3;
  for (size_t i = 0; i < x.size(); ++i) {
    const double at = x[i];
    x[i] = at + kStep;
    const double up = loss(x);
    x[i] = at - kStep;
    const double down = loss(x);
    x[i] = at;
    const double d = (up - down) / (2 * kStep);
    worst = std::max(worst, std::abs(d - gradient.data<float>()[i]));
    largest = std::max(largest, std::abs(d));
  }
  CHECK_MESSAGE(worst < 2e-5 * largest, what);
}

double dot(const Values& a, const Tensor& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * static_cast<double>(b.data<float>()[i]);
  return sum;
}

}  // namespace

TEST_CASE("gradients of batch_norm with its activations and residual") {
  using kernels::Activation;
  for (Activation activation : {Activation::none, Activation::relu, Activation::hard_swish}) {
    for (bool residual : {false, true}) {
      if (residual && activation == Activation::hard_swish) continue;
      CAPTURE(static_cast<int>(activation));
      CAPTURE(residual);
      const int64_t n = 2, h = 3, w = 3, c = 5, rows = n * h * w;
      const Tensor x = filled("x", {n, h, w, c}), r = residual ? filled("r", {n, h, w, c}) : Tensor();
      const Tensor dy = filled("dy", {n, h, w, c});
      const ops::BatchNorm norm{filled("gamma", {c}, 0.3, 1), filled("beta", {c}, 0.3), Tensor::zeros({c}), Tensor::zeros({c}),
                                Tensor::zeros({1}, DType::i64)};
      const Tensor dx = Tensor::zeros(x.shape()), dr = Tensor::zeros(x.shape()), dgamma = Tensor::zeros({c}), dbeta = Tensor::zeros({c});
      Tape tape;
      tape.watch(x, dx);
      tape.watch(norm.weight, dgamma);
      tape.watch(norm.bias, dbeta);
      if (residual) tape.watch(r, dr);
      Tensor y;
      {
        Tape::Recording recording(tape);
        y = ops::batch_norm(Tensor(x), norm, ops::Statistics::batch, activation, r);  // a watched x keeps its values
      }
      tape.backward(y, dy.clone());
      auto loss = [&](const Values& vx, const Values& vg, const Values& vb, const Values& vr) {
        Values out(vx.size()), mean(5), variance(5);
        kernels::reference::batch_norm(vx.data(), rows, c, vg.data(), vb.data(), norm.eps, residual ? vr.data() : nullptr, activation,
                                       out.data(), mean.data(), variance.data());
        return dot(out, dy);
      };
      const Values vx = wide(x), vg = wide(norm.weight), vb = wide(norm.bias), vr = residual ? wide(r) : Values();
      check_gradient(
          "x", [&](const Values& v) { return loss(v, vg, vb, vr); }, vx, dx);
      check_gradient(
          "gamma", [&](const Values& v) { return loss(vx, v, vb, vr); }, vg, dgamma);
      check_gradient(
          "beta", [&](const Values& v) { return loss(vx, vg, v, vr); }, vb, dbeta);
      if (residual)
        check_gradient(
            "residual", [&](const Values& v) { return loss(vx, vg, vb, v); }, vr, dr);
    }
  }
}

TEST_CASE("batch_norm updates the running statistics as torch does, in training only") {
  const int64_t rows = 12, c = 3;
  const Tensor x = filled("x", {rows, 1, 1, c}, 1, 2);
  for (auto statistics : {ops::Statistics::training, ops::Statistics::batch, ops::Statistics::running}) {
    const ops::BatchNorm norm{filled("g", {c}), filled("b", {c}), filled("m", {c}), filled("v", {c}, 0.2, 1),
                              Tensor::zeros({1}, DType::i64)};
    const Values m = wide(norm.running_mean), v = wide(norm.running_var);
    ops::batch_norm(x.clone(), norm, statistics, kernels::Activation::none);
    const bool training = statistics == ops::Statistics::training;
    for (int64_t k = 0; k < c; ++k) {
      double mean = 0, square = 0;
      for (int64_t i = 0; i < rows; ++i) mean += static_cast<double>(x.data<float>()[i * c + k]) / rows;
      for (int64_t i = 0; i < rows; ++i) square += std::pow(static_cast<double>(x.data<float>()[i * c + k]) - mean, 2) / (rows - 1);
      const auto at = static_cast<size_t>(k);
      CHECK(norm.running_mean.data<float>()[k] == doctest::Approx(training ? 0.9 * m[at] + 0.1 * mean : m[at]).epsilon(1e-6));
      CHECK(norm.running_var.data<float>()[k] == doctest::Approx(training ? 0.9 * v[at] + 0.1 * square : v[at]).epsilon(1e-6));
    }
    CHECK(*norm.batches.data<int64_t>() == (training ? 1 : 0));
  }
}

TEST_CASE("batch_norm with running statistics") {
  const int64_t c = 3;
  const Tensor x = filled("x", {4, 1, 1, c});
  const ops::BatchNorm norm{filled("g", {c}), filled("b", {c}), filled("m", {c}), filled("v", {c}, 0.2, 1), Tensor::zeros({1}, DType::i64)};
  const Tensor y = ops::batch_norm(x.clone(), norm, ops::Statistics::running, kernels::Activation::none);
  for (int64_t i = 0; i < x.numel(); ++i) {
    const int64_t k = i % c;
    const double expected = (static_cast<double>(x.data<float>()[i]) - norm.running_mean.data<float>()[k]) /
                                std::sqrt(static_cast<double>(norm.running_var.data<float>()[k]) + 1e-5) * norm.weight.data<float>()[k] +
                            norm.bias.data<float>()[k];
    CHECK(y.data<float>()[i] == doctest::Approx(expected).epsilon(1e-6));
  }
}

TEST_CASE("gradients of the poolings") {
  const int64_t n = 2, h = 5, w = 4, c = 3;
  const Tensor x = filled("x", {n, h, w, c}), dx = Tensor::zeros(x.shape());
  for (bool maximum : {true, false}) {
    Tape tape;
    tape.watch(x, dx);
    Tensor y;
    {
      Tape::Recording recording(tape);
      y = maximum ? ops::max_pool(x) : ops::global_average_pool(x);
    }
    const Tensor dy = filled("dy", y.shape());
    tape.backward(y, dy);
    auto loss = [&](const Values& v) {
      Values out(static_cast<size_t>(y.numel()));
      std::vector<uint8_t> taps(out.size());
      for (int64_t i = 0; i < n; ++i) {
        const double* image = v.data() + i * h * w * c;
        double* to = out.data() + i * y.numel() / n;
        maximum ? kernels::reference::max_pool(image, h, w, c, to, taps.data()) : kernels::reference::mean(image, h * w, c, to);
      }
      return dot(out, dy);
    };
    check_gradient(maximum ? "max_pool" : "average", loss, wide(x), dx);
  }
}

TEST_CASE("gradients of layer_norm and GELU") {
  const int64_t rows = 3, c = 5;
  const Tensor x = filled("x", {rows, c}), w = filled("w", {c}, 0.3, 1), b = filled("b", {c}), dy = filled("dy", {rows, c});
  const Tensor dx = Tensor::zeros(x.shape()), dw = Tensor::zeros({c}), db = Tensor::zeros({c});
  Tape tape;
  tape.watch(x, dx);
  tape.watch(w, dw);
  tape.watch(b, db);
  Tensor y;
  {
    Tape::Recording recording(tape);
    y = ops::activate(ops::layer_norm(x, 1e-5, w, b), ops::Activation::gelu);
  }
  tape.backward(y, dy.clone());
  const auto loss = [&](const Values& vx, const Values& vw, const Values& vb) {
    Values out(vx.size());
    for (size_t r = 0; r < rows; ++r) {
      double mean = 0, variance = 0;
      for (size_t k = 0; k < c; ++k) mean += vx[r * c + k] / c;
      for (size_t k = 0; k < c; ++k) variance += std::pow(vx[r * c + k] - mean, 2) / c;
      for (size_t k = 0; k < c; ++k)
        out[r * c + k] = kernels::reference::gelu((vx[r * c + k] - mean) / std::sqrt(variance + 1e-5) * vw[k] + vb[k]);
    }
    return dot(out, dy);
  };
  const Values vx = wide(x), vw = wide(w), vb = wide(b);
  check_gradient(
      "x", [&](const Values& v) { return loss(v, vw, vb); }, vx, dx);
  check_gradient(
      "weight", [&](const Values& v) { return loss(vx, v, vb); }, vw, dw);
  check_gradient(
      "bias", [&](const Values& v) { return loss(vx, vw, v); }, vb, db);
}

TEST_CASE("the mean of one pixel is passed on, forward and backward") {
  const Tensor x = filled("x", {3, 1, 1, 4}), dx = Tensor::zeros(x.shape()), dy = filled("dy", {3, 4});
  Tape tape;
  tape.watch(x, dx);
  Tensor y;
  {
    Tape::Recording recording(tape);
    y = ops::global_average_pool(x);
  }
  CHECK(wide(y) == wide(x));
  tape.backward(y, dy);
  CHECK(wide(dx) == wide(dy));
}

TEST_CASE("gradient of the cross-entropy") {
  const int64_t n = 4, classes = 7;
  const int32_t labels[] = {0, 3, 6, 3};
  const Tensor logits = filled("logits", {n, classes}, 3);
  for (double smoothing : {0.0, 0.2}) {
    const ops::Loss loss = ops::cross_entropy(logits, labels, smoothing);
    auto mean = [&](const Values& v) {
      Values losses(4), gradient(v.size());
      std::vector<uint8_t> right(4);
      kernels::reference::cross_entropy(v.data(), labels, n, classes, smoothing, 1, losses.data(), gradient.data(), right.data());
      return (losses[0] + losses[1] + losses[2] + losses[3]) / 4;
    };
    CHECK(loss.sum / 4 == doctest::Approx(mean(wide(logits))).epsilon(1e-6));
    check_gradient("logits", mean, wide(logits), loss.gradient);
  }
  const int32_t outside[] = {0, 1, 7, 2};
  CHECK_THROWS_AS(ops::cross_entropy(logits, outside, 0), Error);
}

TEST_CASE("doubling is libtorch's nearest-neighbour interpolation, to odd sizes too") {
  for (auto [h, w] : {std::pair<int64_t, int64_t>{8, 6}, {7, 6}, {8, 5}, {9, 11}, {1, 1}, {63, 127}}) {
    for (DType type : {DType::f32, DType::bf16, DType::f16}) {
      const Tensor x = ops::from_nchw(test::normals(static_cast<size_t>(2 * 3 * ((h + 1) / 2) * ((w + 1) / 2)), 3).data(), 2, 3,
                                      (h + 1) / 2, (w + 1) / 2, type);
      const Tensor wanted = libtorch::Call("aten::upsample_nearest2d")
                                .tensor(x, libtorch::View::channels_last)
                                .integers({h, w})
                                .none()
                                .none()
                                .run(1, libtorch::View::channels_last)[0];
      const Tensor y = ops::doubled(x, h, w);
      REQUIRE(y.shape() == wanted.shape());
      CHECK(std::memcmp(y.raw(), wanted.raw(), static_cast<size_t>(y.bytes())) == 0);
    }
  }
}
