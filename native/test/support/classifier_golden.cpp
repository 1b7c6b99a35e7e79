// SPDX-License-Identifier: Apache-2.0
#include "support/classifier_golden.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "models/layout.h"
#include "support/compare.h"
#include "trainer/trainer.h"

namespace motley::test {
namespace {

constexpr int64_t kImages = 8, kSize = 32, kClasses = 10;
// Below, a gradient is 0 but for float64's rounding, as that of an offset is which a BatchNorm takes off again: ours is to be 0 but for
// float32's.
constexpr double kNoGradient = 1e-12, kNothing = 1e-6;

double norm(const Tensor& t) {
  double squares = 0;
  for (int64_t i = 0; i < t.numel(); ++i) squares += static_cast<double>(t.data<float>()[i]) * static_cast<double>(t.data<float>()[i]);
  return std::sqrt(squares);
}

// Largest |ours - theirs|, of the largest of theirs.
double relative_error(const Tensor& ours, const std::vector<float>& theirs) {
  double largest = 0;
  for (float v : theirs) largest = std::max(largest, std::abs(static_cast<double>(v)));
  return difference(ours.data<float>(), theirs.data(), theirs.size()).max_abs / largest;
}

}  // namespace

ClassifierGolden::ClassifierGolden(const std::string& architecture, std::optional<double> dropout, std::optional<double> stochastic_depth)
    : config_{architecture, kClasses, kSize, DType::f32, Stem::imagenet, dropout, stochastic_depth}, golden_(architecture) {}

std::unique_ptr<Classifier> ClassifierGolden::filled(DType compute, bool rounded) const {
  ClassifierConfig config = config_;
  config.compute = compute;
  auto model = make_classifier(config);
  FilledWeights weights(golden_.meta()["state_dict"], config_.architecture + ".");
  if (rounded) weights.round_to_bf16();
  model->load(weights.tensors());
  return model;
}

Tensor ClassifierGolden::images() const {
  Tensor x = Tensor::empty({kImages, kSize, kSize, 3});
  to_channels_last({kImages, 3, kSize, kSize}, golden_.values("images").data(), x.data<float>());
  return x;
}

void ClassifierGolden::check_tensors(int64_t parameters) const {
  const auto model = make_classifier(config_);
  const auto& names = golden_.meta()["parameters"].items;
  const auto& shapes = golden_.meta()["state_dict"];
  REQUIRE(model->tensors().size() == shapes.members.size());
  int64_t count = 0;
  for (size_t i = 0; i < model->tensors().size(); ++i) {
    const ClassifierTensor& t = model->tensors()[i];
    CHECK(t.trainable == (i < names.size()));
    if (t.trainable) CHECK(t.name == names[i].text);
    if (t.trainable) count += t.value.numel();
    Shape shape;
    for (const auto& size : shapes[t.name].items) shape.push_back(static_cast<int64_t>(size.number));
    CHECK(t.shape == shape);
    CHECK(t.head == (i + 2 == names.size() || i + 1 == names.size()));
  }
  CHECK(count == parameters);
}

void ClassifierGolden::check_inference() const {
  for (DType compute : {DType::f32, DType::bf16}) {
    const Tensor y = filled(compute)->forward(images(), Pass::running());
    check_against(golden_, "logits_eval", y.data<float>(), compute == DType::f32 ? "float32" : "bfloat16");
  }
}

void ClassifierGolden::check_training(const Bounds& bounds) const {
  const auto model = filled(DType::f32, true);
  std::vector<int32_t> labels;
  for (float label : golden_.values("labels")) labels.push_back(static_cast<int32_t>(label));
  TrainerConfig config;
  config.weight_decay = 0.9;
  Trainer trainer(*model, config);
  const Tensor x = images();
  Tensor logits;
  const auto& losses = golden_.values("losses");
  for (size_t step = 0; step < 3; ++step) {
    const TrainingSums sums = trainer.step(x, labels.data(), 2e-4, &logits);
    const double loss = sums.loss / static_cast<double>(kImages), wrong = std::abs(loss - static_cast<double>(losses[step]));
    MESSAGE("loss ", step, ": ", loss, ", wrong by ", wrong);
    CHECK(wrong < bounds.loss[step]);
    if (step > 0) continue;
    const double logits_error = relative_error(logits, golden_.values("logits_train"));
    CHECK(logits_error < bounds.logits);
    const auto& norms = golden_.values("grad_l2");
    const auto& heads = golden_.values("grad_head");
    double worst = 0, worst_element = 0;
    for (size_t i = 0; i < norms.size(); ++i) {
      const ClassifierTensor& t = model->tensors()[i];
      const Tensor& gradient = trainer.state(i, Trainer::State::gradient);
      const auto expected = static_cast<double>(norms[i]);
      if (expected < kNoGradient) {
        CHECK_MESSAGE(norm(gradient) < kNothing, t.name);
        continue;
      }
      const double off = std::abs(norm(gradient) / expected - 1);
      worst = std::max(worst, off);
      CHECK_MESSAGE(off < bounds.norm, t.name);
      std::vector<float> torch_order(static_cast<size_t>(gradient.numel()));
      to_channels_first(t.shape, gradient.data<float>(), torch_order.data());
      const double rms = expected / std::sqrt(static_cast<double>(gradient.numel()));
      for (size_t k = 0; k < 8 && k < torch_order.size(); ++k) {
        const double e = std::abs(static_cast<double>(torch_order[k]) - static_cast<double>(heads[i * 8 + k])) / rms;
        worst_element = std::max(worst_element, e);
        CHECK_MESSAGE(e < bounds.element, t.name);
      }
    }
    MESSAGE("training logits: ", logits_error, " of the largest; gradient norms: worst relative error ", worst, "; elements: worst error ",
            worst_element, " of the tensor's rms");
  }
  double worst_after = 0;
  const auto& after = golden_.values("params_l2_after");
  for (size_t i = 0; i < after.size(); ++i) {
    const Tensor& value = model->tensors()[i].value;
    const double off = std::abs(norm(value) - static_cast<double>(after[i])) / std::sqrt(static_cast<double>(value.numel()));
    worst_after = std::max(worst_after, off);
    CHECK_MESSAGE(off < bounds.parameters_after, model->tensors()[i].name);
  }
  const double error = relative_error(model->forward(x, Pass::running()), golden_.values("logits_eval_after"));
  MESSAGE("after three steps: parameters' root mean squares wrong by ", worst_after, ", logits by ", error, " of the largest");
  CHECK(error < bounds.logits_after);
}

void check_initialisation(const Classifier& classifier) {
  for (const ClassifierTensor& t : classifier.tensors()) {
    if (t.value.dtype() != DType::f32) continue;
    const int64_t n = t.value.numel();
    double sum = 0, squares = 0, largest = 0;
    for (int64_t i = 0; i < n; ++i) {
      const auto v = static_cast<double>(t.value.data<float>()[i]);
      sum += v;
      squares += v * v;
      largest = std::max(largest, std::abs(v));
    }
    const double mean = sum / static_cast<double>(n), scale = t.initial.scale;
    if (t.initial.kind == Initial::Kind::constant) {
      CHECK_MESSAGE(mean == doctest::Approx(scale), t.name);
      CHECK_MESSAGE(largest == doctest::Approx(std::abs(scale)), t.name);
      continue;
    }
    const bool normal = t.initial.kind == Initial::Kind::normal;
    // the variance of v is v2, that of v^2 is v4 - v2^2
    const double v2 = scale * scale * (normal ? 1 : 1.0 / 3), v4 = std::pow(scale, 4) * (normal ? 3 : 1.0 / 5),
                 root = std::sqrt(static_cast<double>(n));
    CHECK_MESSAGE(std::abs(mean) < 5 * std::sqrt(v2) / root, t.name);
    CHECK_MESSAGE(std::abs(squares / static_cast<double>(n) - v2) < 5 * std::sqrt(v4 - v2 * v2) / root, t.name);
    CHECK_MESSAGE(largest < scale * (normal ? 7 : 1.0001), t.name);
  }
}

}  // namespace motley::test
