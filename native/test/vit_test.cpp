// SPDX-License-Identifier: Apache-2.0
// Vision Transformers against vit-pytorch's float64 results.
#include <doctest/doctest.h>

#include <cmath>

#include "ops/tape.h"
#include "support/classifier_golden.h"
#include "support/threads.h"
#include "trainer/trainer.h"

using namespace motley;

namespace {

ClassifierConfig small(DType compute, std::optional<double> dropout = {}) {
  ClassifierConfig config{"vit_s", 4, 32, compute};
  config.dropout = dropout;
  return config;
}

Tensor pictures(int64_t n, int64_t size) {
  const Shape shape = {n, size, size, 3};
  const auto values = test::fill_input("pictures", shape, 2);
  return Tensor::of(shape, values.data());
}

}  // namespace

TEST_CASE("Vision Transformers have vit-pytorch's tensors in vit-pytorch's order") {
  test::ClassifierGolden("vit_b").check_tensors(85'634'314);
  test::ClassifierGolden("vit_b_p4").check_tensors(85'125'994);
}

TEST_CASE("Vision Transformers give vit-pytorch's logits, in f32 and to bf16's accuracy") {
  for (const char* name : {"vit_b", "vit_b_p4"}) test::ClassifierGolden(name).check_inference();
}

TEST_CASE("Vision Transformers train as vit-pytorch's: logits, loss, every gradient, three AdamW steps") {
  // Pre-norm blocks keep rounding small. Seen were 8.7e-7, {1.6e-7, 4.2e-8, 6.8e-8}, 5.0e-7, 5.5e-6, 6.7e-8, 2.4e-6. The second loss
  // is near 0 and moves by about itself times what logits of 5 may be wrong by, 1e-5: 1e-7.
  test::ClassifierGolden("vit_b", 0.0).check_training({2e-6, {4e-7, 1e-7, 1e-7}, 8e-7, 1.2e-5, 1.5e-7, 5e-6});
  // The other's: 8.3e-7, {2.2e-7, 3.8e-6, 7.3e-6}, 2.3e-7, 1.6e-5, 3.2e-7, 6.8e-6: AdamW's first steps take the sign of small gradients for whole.
  test::ClassifierGolden("vit_b_p4", 0.0).check_training({2e-6, {5e-7, 8e-6, 1.5e-5}, 6e-7, 3.5e-5, 7e-7, 1.5e-5});
}

TEST_CASE("a Vision Transformer begins as vit-pytorch's does") {
  const auto model = make_classifier(small(DType::f32));
  model->initialise(3);
  test::check_initialisation(*model);
  int64_t inputs = 0;
  for (const ClassifierTensor& t : model->tensors()) {
    CAPTURE(t.name);
    const bool norm = t.name.find("norm.") != std::string::npos || t.name.find("net.0.") != std::string::npos ||
                      t.name.starts_with("to_patch_embedding.1.") || t.name.starts_with("to_patch_embedding.3.");
    if (norm) {
      CHECK(t.initial.kind == Initial::Kind::constant);
      CHECK(t.initial.scale == (t.name.ends_with("weight") ? 1.0 : 0.0));
    } else if (t.name == "cls_token" || t.name == "pos_embedding") {
      CHECK(t.initial.kind == Initial::Kind::normal);
      CHECK(t.initial.scale == 1);
    } else {  // of a dense layer: its bias comes after its weight
      if (t.shape.size() == 2) inputs = t.shape[1];
      CHECK(t.initial.kind == Initial::Kind::uniform);
      CHECK(t.initial.scale == 1 / std::sqrt(static_cast<double>(inputs)));
    }
  }
}

TEST_CASE("a Vision Transformer wants images that its patches fill") {
  for (const auto& [name, size, message] :
       {std::tuple{"vit_b", 40, "vit_b cuts images into patches of 16x16: image size 40 is not a multiple of 16"},
        {"vit_b_p4", 30, "vit_b_p4 cuts images into patches of 4x4: image size 30 is not a multiple of 4"},
        {"vit_s", 8, "image size 8 is not a multiple of 16"}}) {
    CHECK_THROWS_WITH_AS(make_classifier({name, 10, size, DType::f32}), doctest::Contains(message), Error);
  }
}

TEST_CASE("a Vision Transformer with a tape computes what it does without one, to rounding; an image's logits do not depend on its batch") {
  const auto model = make_classifier(small(DType::f32));
  model->initialise(5);
  const Tensor x = pictures(3, 32);
  const Tensor plain = model->forward(x, Pass::running());
  Tape tape;
  const Tensor gradient = Tensor::empty(model->tensors()[0].value.shape());
  tape.watch(model->tensors()[0].value, gradient);
  Tensor taped;
  {
    Tape::Recording recording(tape);
    taped = model->forward(x, {ops::Statistics::training});
  }
  for (int64_t i = 0; i < plain.numel(); ++i) CHECK(std::abs(plain.data<float>()[i] - taped.data<float>()[i]) < 1e-5);
  const Tensor second = Tensor::of({1, 32, 32, 3}, x.data<float>() + x.numel() / 3);
  for (int threads : {1, 2}) {
    const Threads scope(threads);
    const Tensor alone = model->forward(second, Pass::running());
    for (int64_t i = 0; i < alone.numel(); ++i) CHECK(alone.data<float>()[i] == plain.data<float>()[alone.numel() + i]);
  }
}

TEST_CASE("a Vision Transformer's dropout is that of the configuration, in training only") {
  const Tensor x = pictures(2, 32);
  const auto features = [&](std::optional<double> p, const Pass& pass) {
    const auto model = make_classifier(small(DType::f32, p));
    model->initialise(5);
    const Tensor y = model->features(x, pass);
    return std::vector<float>(y.data<float>(), y.data<float>() + y.numel());
  };
  const auto pass = [](uint64_t step) { return Pass{ops::Statistics::training, ops::Randomness{1, step}}; };
  const auto plain = features({}, Pass::running());
  CHECK(features(0.2, Pass::running()) == plain);
  CHECK(features({}, pass(2)) == plain);  // vit-pytorch's default is none
  CHECK(features(0.2, pass(2)) == features(0.2, pass(2)));
  CHECK(features(0.2, pass(2)) != features(0.2, pass(3)));
  CHECK(features(0.2, pass(2)) != plain);
}

TEST_CASE("a Vision Transformer trains with bf16 activations, and with dropout, as it does with f32") {
  constexpr int64_t kImages = 8, kSteps = 5;
  constexpr double kRate = 3e-4;
  const Tensor x = pictures(kImages, 32);
  std::vector<int32_t> labels;
  for (int32_t i = 0; i < kImages; ++i) labels.push_back(i % 4);
  const auto losses = [&](DType compute, double dropout) {
    const auto model = make_classifier(small(compute, dropout));
    model->initialise(5);
    Trainer trainer(*model, {});
    std::vector<double> all;
    for (int64_t step = 0; step < kSteps; ++step) all.push_back(trainer.step(x, labels.data(), kRate).loss / kImages);
    MESSAGE(std::string(name_of(compute)), ", dropout ", dropout, ": loss from ", all.front(), " to ", all.back());
    return all;
  };
  const auto f32 = losses(DType::f32, 0), b16 = losses(DType::bf16, 0), dropped = losses(DType::f32, 0.1);
  CHECK(std::abs(f32[0] - b16[0]) < 0.03);
  for (const auto& l : {f32, b16, dropped}) CHECK(l.back() < 0.7 * l.front());
}
