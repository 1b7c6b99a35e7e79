// SPDX-License-Identifier: Apache-2.0
// ResNets against torchvision's float64 results.
#include <doctest/doctest.h>

#include <cmath>
#include <map>

#include "kernels/cpu/adamw.h"
#include "models/classifier.h"
#include "models/layout.h"
#include "support/golden.h"
#include "trainer/trainer.h"

using namespace motley;

namespace {

constexpr double kOfPyTorch = 2;  // error allowed, in units of PyTorch's own in the same precision

struct Network {
  const char* name;
  int64_t parameters;  // with 10 classes
};
constexpr Network kNetworks[] = {{"resnet50", 23'528'522}, {"resnet101", 42'520'650}};

std::unique_ptr<Classifier> filled(const char* name, const test::Golden& g, DType compute = DType::f32) {
  auto model = make_classifier({name, 10, 32, compute});
  model->load(test::FilledWeights(g.meta()["state_dict"], std::string(name) + ".").tensors());
  return model;
}

Tensor images_of(const test::Golden& g) {
  Tensor x = Tensor::empty({8, 32, 32, 3});
  to_channels_last({8, 3, 32, 32}, g.values("images").data(), x.data<float>());
  return x;
}

double norm(const Tensor& t) {
  double squares = 0;
  for (int64_t i = 0; i < t.numel(); ++i) squares += static_cast<double>(t.data<float>()[i]) * t.data<float>()[i];
  return std::sqrt(squares);
}

test::Difference logits_error(const test::Golden& g, const char* name, const Tensor& y) {
  return test::difference(y.data<float>(), g.values(name).data(), static_cast<size_t>(y.numel()));
}

void check_against_pytorch(const test::Golden& g, const test::Difference& error, const std::string& precision,
                           const std::string& tensor) {
  const test::Json& theirs = g.meta()["pytorch_error_against_float64"][precision][tensor];
  const std::string what = precision + " " + tensor;
  MESSAGE(what, ": max ", error.max_abs / theirs["max_abs"].number, ", rms ",
          error.rms / theirs["rms"].number, " of PyTorch's error");
  CHECK(error.max_abs <= kOfPyTorch * theirs["max_abs"].number);
  CHECK(error.rms <= kOfPyTorch * theirs["rms"].number);
}

}  // namespace

TEST_CASE("ResNets have torchvision's tensors in torchvision's order") {
  for (const Network& network : kNetworks) {
    CAPTURE(std::string(network.name));
    const test::Golden g(network.name);
    const auto model = make_classifier({network.name, 10, 32, DType::f32});
    const auto& parameters = g.meta()["parameters"].items;
    const auto& shapes = g.meta()["state_dict"];
    REQUIRE(model->tensors().size() == shapes.members.size());
    int64_t count = 0;
    for (size_t i = 0; i < model->tensors().size(); ++i) {
      const ClassifierTensor& t = model->tensors()[i];
      CHECK(t.trainable == (i < parameters.size()));
      if (t.trainable) CHECK(t.name == parameters[i].text);
      if (t.trainable) count += t.value.numel();
      Shape shape;
      for (const auto& size : shapes[t.name].items) shape.push_back(static_cast<int64_t>(size.number));
      CHECK(t.shape == shape);
    }
    CHECK(count == network.parameters);
  }
}

TEST_CASE("ResNets give torchvision's logits with running statistics, in f32 and to bf16's accuracy") {
  for (const Network& network : kNetworks) {
    CAPTURE(std::string(network.name));
    const test::Golden g(network.name);
    for (DType compute : {DType::f32, DType::bf16}) {
      const auto model = filled(network.name, g, compute);
      check_against_pytorch(g, logits_error(g, "logits_eval", model->forward(images_of(g), Pass::running())),
                            compute == DType::f32 ? "float32" : "bfloat16", "logits_eval");
    }
  }
}

TEST_CASE("ResNet50 trains with bf16 activations as it does with f32") {
  const auto v = test::fill_input("images", {16, 32, 32, 3}, 2);
  const Tensor x = Tensor::of({16, 32, 32, 3}, v.data());
  std::vector<int32_t> labels;
  for (int32_t i = 0; i < 16; ++i) labels.push_back(i % 4);
  constexpr int kSteps = 4;
  std::vector<double> losses[2];
  for (DType compute : {DType::f32, DType::bf16}) {
    const auto model = make_classifier({"resnet50", 4, 32, compute});
    model->initialise(5);
    Trainer trainer(*model, {});
    for (int step = 0; step < kSteps; ++step) {
      losses[compute == DType::bf16].push_back(trainer.step(x, labels.data(), 1e-4).loss / 16);
    }
  }
  for (size_t i = 0; i < kSteps; ++i) MESSAGE("step ", i, ": f32 ", losses[0][i], ", bf16 ", losses[1][i]);
  CHECK(std::abs(losses[0][0] - losses[1][0]) < 0.25);  // bf16 has 8 bits, the network magnifies them (see below): 0.1 seen
  CHECK(losses[0].back() < 0.5 * losses[0].front());
  CHECK(losses[1].back() < 0.5 * losses[1].front());
}

TEST_CASE("ResNet50 trains as torchvision's: logits, loss, every gradient, three AdamW steps") {
  const test::Golden g("resnet50");
  // The generator had cast its network to bfloat16 and back before it trained it: weights and buffers are fill() so rounded.
  test::FilledWeights weights(g.meta()["state_dict"], "resnet50.");
  weights.round_to_bf16();
  const auto model = make_classifier({"resnet50", 10, 32, DType::f32});
  model->load(weights.tensors());
  const Tensor x = images_of(g);
  std::vector<int32_t> labels;
  for (float label : g.values("labels")) labels.push_back(static_cast<int32_t>(label));
  TrainerConfig config;
  config.weight_decay = 0.9;
  Trainer trainer(*model, config);

  // This network in training mode (batch statistics of 8 values in the last stage, 53 layers, random weights) magnifies
  // rounding: noise of 6e-8 on each convolution's result moves the float64 logits by 1.2e-4, and a plain float32
  // computation is off by 1.0e-3 (numpy). Noise of 1e-6 on the images moves gradient norms by 0.8 %, the loss after one
  // step by 0.15, after two by 0.4. The bounds below are twice that; sharp checks of each gradient are in ops_test.cpp.
  constexpr double kLogits = 2e-3, kLoss[] = {1e-3, 0.3, 0.8}, kNorm = 0.016, kElement = 0.2, kLogitsAfter = 0.2;
  Tensor logits;
  const auto& losses = g.values("losses");
  for (size_t step = 0; step < 3; ++step) {
    const TrainingSums sums = trainer.step(x, labels.data(), 2e-4, &logits);
    MESSAGE("loss ", step, ": ", sums.loss / 8, ", torchvision ", losses[step]);
    CHECK(std::abs(sums.loss / 8 - losses[step]) < kLoss[step]);
    if (step > 0) continue;
    CHECK(logits_error(g, "logits_train", logits).max_abs < kLogits);
    const auto& norms = g.values("grad_l2");
    const auto& heads = g.values("grad_head");
    double worst = 0, worst_element = 0;
    for (size_t i = 0; i < norms.size(); ++i) {
      const ClassifierTensor& t = model->tensors()[i];
      const Tensor& gradient = trainer.state(i, Trainer::State::gradient);
      const double off = std::abs(norm(gradient) / norms[i] - 1);
      worst = std::max(worst, off);
      CHECK_MESSAGE(off < kNorm, t.name);
      std::vector<float> torch_order(static_cast<size_t>(gradient.numel()));
      to_channels_first(t.shape, gradient.data<float>(), torch_order.data());
      const double rms = norms[i] / std::sqrt(static_cast<double>(gradient.numel()));
      for (size_t k = 0; k < 8 && k < torch_order.size(); ++k) {
        const double e = std::abs(torch_order[k] - heads[i * 8 + k]) / rms;
        worst_element = std::max(worst_element, e);
        CHECK_MESSAGE(e < kElement, t.name);
      }
    }
    MESSAGE("gradient norms: worst relative error ", worst, "; elements: worst error ", worst_element, " of the tensor's rms");
  }
  const auto& after = g.values("params_l2_after");
  for (size_t i = 0; i < after.size(); ++i) {
    // two more steps of at most 2e-4 in each element, in a direction that may differ
    const double steps = 2 * 2e-4 * std::sqrt(static_cast<double>(model->tensors()[i].value.numel()));
    CHECK_MESSAGE(std::abs(norm(model->tensors()[i].value) - after[i]) < steps, model->tensors()[i].name);
  }
  const auto error = logits_error(g, "logits_eval_after", model->forward(x, Pass::running()));
  MESSAGE("logits after three steps: max error ", error.max_abs);
  CHECK(error.max_abs < kLogitsAfter);
}

TEST_CASE("AdamW with a cosine schedule follows torch") {
  const test::Golden g("optimizer");
  std::vector<float> p = g.values("w0"), m(64, 0), v(64, 0);
  int64_t step = 0;
  for (int epoch = 0; epoch < 20; ++epoch) {
    for (int s = 0; s < 3; ++s) {
      const auto gradient = test::fill_input(concat("adamw.g", epoch, ".", s), {64});
      kernels::adamw({{p.data(), gradient.data(), m.data(), v.data(), 64}},
                     {static_cast<double>(g.values("lrs")[static_cast<size_t>(epoch)]), 0.9, 0.999, 1e-8, 0.3, ++step});
    }
  }
  const auto error = test::difference(p.data(), g.values("w20").data(), 64);
  MESSAGE("AdamW after 60 steps: max error ", error.max_abs);
  CHECK(error.max_abs < 60 * 0x1p-24);  // half a unit in the last place of 1 for each step
}
