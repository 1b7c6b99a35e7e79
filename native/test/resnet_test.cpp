// SPDX-License-Identifier: Apache-2.0
// ResNets against torchvision's float64 results.
#include <doctest/doctest.h>

#include <cmath>

#include "kernels/cpu/adamw.h"
#include "support/classifier_golden.h"
#include "trainer/trainer.h"

using namespace motley;

TEST_CASE("ResNets have torchvision's tensors in torchvision's order") {
  test::ClassifierGolden("resnet50").check_tensors(23'528'522);
  test::ClassifierGolden("resnet101").check_tensors(42'520'650);
}

TEST_CASE("ResNets give torchvision's logits with running statistics, in f32 and to bf16's accuracy") {
  for (const char* name : {"resnet50", "resnet101"}) test::ClassifierGolden(name).check_inference();
}

TEST_CASE("ResNet50 begins as torchvision's") {
  const auto model = make_classifier({"resnet50", 10, 32, DType::f32});
  model->initialise(7);
  test::check_initialisation(*model);
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
  // This network in training mode (batch statistics of 8 values in the last stage, 53 layers, random weights) magnifies
  // rounding: noise of 6e-8 on each convolution's result moves the float64 logits by 1.2e-4, and a plain float32
  // computation is off by 1.0e-3 (numpy). Noise of 1e-6 on the images moves gradient norms by 0.8 %, the loss after one
  // step by 0.15, after two by 0.4. The bounds below are twice that (parameters: two more steps of 2e-4, in a direction that may differ); sharp checks of each gradient are in ops_test.cpp.
  test::ClassifierGolden("resnet50").check_training({4.3e-4, {1e-3, 0.3, 0.8}, 0.016, 0.2, 4e-4, 0.42});
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
