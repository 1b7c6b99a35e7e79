// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/stochastic.h"

#include <doctest/doctest.h>

#include <cmath>

#include "models/classifier.h"
#include "ops/stochastic.h"
#include "ops/tape.h"
#include "support/compare.h"

using namespace motley;

TEST_CASE("dropout keeps the mean, is repeatable, and differs by seed, step and layer") {
  constexpr int64_t n = 200'001;
  for (double p : {0.2, 0.5, 0.9}) {
    std::vector<float> a(n), b(n);
    kernels::dropout_factors(7, 3, 1, p, n, a.data());
    int64_t zeros = 0;
    for (float f : a) {
      zeros += f == 0;
      CHECK((f == 0 || f == static_cast<float>(1 / (1 - p))));
    }
    const double deviation = std::sqrt(p * (1 - p) / n);
    CHECK(std::abs(static_cast<double>(zeros) / n - p) < 5 * deviation);
    kernels::dropout_factors(7, 3, 1, p, 1001, b.data());
    CHECK(std::equal(b.begin(), b.begin() + 1001, a.begin()));  // an element does not depend on how many there are
    for (const auto& [seed, step, layer] : {std::tuple{8, 3, 1}, {7, 4, 1}, {7, 3, 2}}) {
      kernels::dropout_factors(static_cast<uint64_t>(seed), static_cast<uint64_t>(step), static_cast<uint32_t>(layer), p, n, b.data());
      int64_t equal = 0;
      for (size_t i = 0; i < a.size(); ++i) equal += a[i] == b[i];
      const double expected = p * p + (1 - p) * (1 - p);
      CHECK(std::abs(static_cast<double>(equal) / n - expected) < 5 * std::sqrt(expected * (1 - expected) / n));
    }
  }
}

TEST_CASE("dropout passes gradients where it passed values, and is off without randomness") {
  const auto values = test::normals(3 * 41, 1);
  const Tensor x = Tensor::of({3, 41}, values.data());
  CHECK(ops::dropout(x, 0.5, {}, 0).id() == x.id());
  CHECK(ops::dropout(x, 0, ops::Randomness{1, 2}, 0).id() == x.id());
  CHECK(!ops::image_factors(3, 0.5, {}, 0).defined());
  for (DType dtype : {DType::f32, DType::bf16}) {
    const Tensor input = x.to(dtype), gradient = Tensor::empty(x.shape());
    Tape tape;
    if (dtype == DType::f32) tape.watch(input, gradient);
    Tensor y;
    {
      Tape::Recording recording(tape);
      y = ops::dropout(input, 0.5, ops::Randomness{1, 2}, 3).to(DType::f32);
    }
    std::vector<float> factors(values.size());
    kernels::dropout_factors(1, 2, 3, 0.5, x.numel(), factors.data());
    const Tensor before = input.to(DType::f32);
    for (int64_t i = 0; i < x.numel(); ++i) CHECK(y.data<float>()[i] == before.data<float>()[i] * factors[static_cast<size_t>(i)]);
    if (dtype != DType::f32) continue;
    tape.clear();
    Tensor z;
    {
      Tape::Recording recording(tape);
      z = ops::dropout(input, 0.5, ops::Randomness{1, 2}, 3);
    }
    Tensor dy = Tensor::empty(x.shape());
    std::fill_n(dy.data<float>(), dy.numel(), 3.0f);
    tape.backward(z, dy);
    for (int64_t i = 0; i < x.numel(); ++i) CHECK(gradient.data<float>()[i] == 3 * factors[static_cast<size_t>(i)]);
  }
}

TEST_CASE("dropout beside a residual") {
  const auto a = test::normals(60, 1), b = test::normals(60, 2), d = test::normals(60, 3);
  const Tensor x = Tensor::of({3, 20}, a.data()), r = Tensor::of({3, 20}, b.data()), dx = Tensor::empty(x.shape()),
               dr = Tensor::empty(x.shape());
  for (bool on : {true, false}) {
    const Tensor factors = ops::dropout_factors(x.shape(), 0.5, {1, 2}, 3);
    Tape tape;
    tape.watch(x, dx);
    tape.watch(r, dr);
    Tensor y;
    {
      Tape::Recording recording(tape);
      y = ops::dropout(x, on ? 0.5 : 0, ops::Randomness{1, 2}, 3, r);
    }
    tape.backward(y, Tensor::of(x.shape(), d.data()));
    for (int64_t i = 0; i < x.numel(); ++i) {
      const auto at = static_cast<size_t>(i);
      const float f = on ? factors.data<float>()[i] : 1;
      CHECK(y.data<float>()[i] == a[at] * f + b[at]);
      CHECK(dx.data<float>()[i] == d[at] * f);
      CHECK(dr.data<float>()[i] == d[at]);
    }
  }
}

TEST_CASE("a ResNet may begin as for small images") {
  const auto model = make_classifier({"resnet50", 10, 32, DType::f32, Stem::cifar});
  CHECK(model->tensors()[0].shape == Shape{64, 3, 3, 3});
  int64_t count = 0;
  for (const ClassifierTensor& t : model->tensors()) count += t.trainable ? t.value.numel() : 0;
  CHECK(count == 23'528'522 - 64 * 3 * (49 - 9));
  CHECK(model->least_batch() == 1);  // 4x4 pixels are left of 32x32
  CHECK(make_classifier({"resnet50", 10, 8, DType::f32, Stem::cifar})->least_batch() == 2);
  CHECK_THROWS_WITH_AS(make_classifier({"resnet50", 10, 32, DType::f32, Stem::imagenet, 0.1}), doctest::Contains("dropout"), Error);
}
