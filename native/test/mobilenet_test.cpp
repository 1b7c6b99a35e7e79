// SPDX-License-Identifier: Apache-2.0
// MobileNetV3-Small against torchvision's float64 results.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "support/classifier_golden.h"
#include "trainer/trainer.h"

using namespace motley;

namespace {

constexpr const char* kName = "mobilenet_v3_small";

ClassifierConfig config_of(DType compute) {
  ClassifierConfig config{kName, 4, 32, compute};
  config.dropout = 0;
  return config;
}

test::ClassifierGolden golden() { return test::ClassifierGolden(kName, 0.0); }

}  // namespace

TEST_CASE("MobileNetV3-Small has torchvision's tensors in torchvision's order") { golden().check_tensors(1'528'106); }

TEST_CASE("MobileNetV3-Small gives torchvision's logits with running statistics, in f32 and to bf16's accuracy") {
  golden().check_inference();
}

TEST_CASE("MobileNetV3-Small trains as torchvision's: logits, loss, every gradient, three AdamW steps") {
  // Seen were 3.4e-6, {6.1e-8, 8.4e-8, 1.5e-7}, 7.1e-6, 3.5e-5, 4.3e-5 and 9.8e-4. The last two are larger because a BatchNorm takes the
  // offsets of eleven others off again: their gradients are rounding alone, which AdamW makes steps of 2e-4 of.
  golden().check_training({1e-5, {4e-7, 4e-7, 6e-7}, 3e-5, 1.5e-4, 4e-4, 4e-3});
}

TEST_CASE("MobileNetV3-Small begins as torchvision's") {
  const auto model = make_classifier(config_of(DType::f32));
  model->initialise(7);
  test::check_initialisation(*model);
  for (const ClassifierTensor& t : model->tensors()) {
    const bool weight = t.name.ends_with("weight") && t.shape.size() > 1;
    const double expected = !weight               ? (t.name.ends_with("weight") || t.name.ends_with("var") ? 1 : 0)
                            : t.shape.size() == 2 ? 0.01
                                                  : std::sqrt(2.0 / static_cast<double>(t.shape[0] * t.shape[2] * t.shape[3]));  // fan out
    CHECK_MESSAGE(t.initial.scale == doctest::Approx(expected), t.name);
    CHECK_MESSAGE((t.initial.kind == Initial::Kind::normal) == weight, t.name);
  }
}

TEST_CASE("MobileNetV3-Small needs two images where its last map is one pixel") {
  for (auto [size, least] : {std::pair<int64_t, int64_t>{32, 2}, {33, 1}, {224, 1}}) {
    auto config = config_of(DType::f32);
    config.image_size = size;
    const auto model = make_classifier(config);
    CHECK(model->least_batch() == least);
    model->initialise(1);
    const auto v = test::fill_input("x", {least, size, size, 3});
    model->forward(Tensor::of({least, size, size, 3}, v.data()), {ops::Statistics::training});
  }
}

TEST_CASE("MobileNetV3-Small's dropout is that of the configuration, in training only") {
  const auto v = test::fill_input("x", {2, 32, 32, 3});
  const Tensor x = Tensor::of({2, 32, 32, 3}, v.data());
  const auto zeros = [&](ClassifierConfig config, const Pass& pass) {
    const auto model = make_classifier(config);
    model->initialise(1);
    const Tensor features = model->features(x, pass);
    CHECK(features.shape() == Shape{2, 1024});
    return std::count(features.data<float>(), features.data<float>() + features.numel(), 0.0f) / static_cast<double>(features.numel());
  };
  const ClassifierConfig plain{kName, 4, 32, DType::f32};
  ClassifierConfig half = plain;
  half.dropout = 0.5;
  const Pass training{ops::Statistics::batch, ops::Randomness{1, 2}};
  CHECK(zeros(plain, training) == doctest::Approx(0.2).epsilon(0.25));  // 5 standard deviations of 2048 draws
  CHECK(zeros(half, training) == doctest::Approx(0.5).epsilon(0.12));
  CHECK(zeros(plain, {ops::Statistics::batch}) == 0);
  CHECK(zeros(plain, Pass::running()) == 0);
}

TEST_CASE("MobileNetV3-Small trains with bf16 activations as it does with f32") {
  constexpr int64_t kImages = 16;
  constexpr int kSteps = 8;
  const auto v = test::fill_input("images", {kImages, 32, 32, 3}, 2);
  const Tensor x = Tensor::of({kImages, 32, 32, 3}, v.data());
  std::vector<int32_t> labels;
  for (int32_t i = 0; i < kImages; ++i) labels.push_back(i % 4);
  const auto losses = [&](DType compute) {
    const auto model = make_classifier(config_of(compute));
    model->initialise(5);
    Trainer trainer(*model, {});
    std::vector<double> found;
    for (int step = 0; step < kSteps; ++step) found.push_back(trainer.step(x, labels.data(), 1e-3).loss / kImages);
    return found;
  };
  const auto f32 = losses(DType::f32), b16 = losses(DType::bf16);
  for (size_t i = 0; i < kSteps; ++i) MESSAGE("step ", i, ": f32 ", f32[i], ", bf16 ", b16[i]);
  CHECK(std::abs(f32[0] - b16[0]) < 0.01);  // 0.0002 seen
  CHECK(f32.back() < 0.5 * f32.front());
  CHECK(b16.back() < 0.5 * b16.front());
}
