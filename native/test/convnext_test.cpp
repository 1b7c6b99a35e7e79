// SPDX-License-Identifier: Apache-2.0
// ConvNeXt against torchvision's float64 results.
#include <doctest/doctest.h>

#include "support/classifier_golden.h"

using namespace motley;

namespace {

test::ClassifierGolden small() { return test::ClassifierGolden("convnext_small", {}, 0); }

}  // namespace

TEST_CASE("ConvNeXt-Small has torchvision's tensors in torchvision's order") { small().check_tensors(49'462'378); }

TEST_CASE("ConvNeXt-Small gives torchvision's logits, in f32 and to bf16's accuracy") { small().check_inference(); }

TEST_CASE("ConvNeXt-Small trains as torchvision's: logits, loss, every gradient, three AdamW steps") {
  // LayerNorm keeps rounding small: seen were 1.2e-6, {2.8e-7, 1.0e-6, 1.1e-8}, 6.1e-7, 1.1e-5, 7.6e-8 and 4.2e-6.
  small().check_training({4e-6, {2e-6, 4e-6, 1e-6}, 2e-6, 4e-5, 3e-7, 1.5e-5});
}

TEST_CASE("ConvNeXt begins as torchvision's, in both sizes") {
  for (const auto& [name, parameters] : {std::pair{"convnext_small", 49'462'378}, {"convnext_base", 87'576'714}}) {
    const auto model = make_classifier({name, 10, 32, DType::f32});
    model->initialise(7);
    test::check_initialisation(*model);
    int64_t count = 0;
    for (const ClassifierTensor& t : model->tensors()) count += t.value.numel();
    CHECK(count == parameters);
  }
}

TEST_CASE("ConvNeXt needs 32 pixels") {
  CHECK_THROWS_WITH_AS(make_classifier({"convnext_small", 10, 31, DType::f32}), doctest::Contains("at least 32 x 32"), Error);
}

TEST_CASE("stochastic depth leaves branches out while training, and the same ones for the same seed and step") {
  const auto golden = test::ClassifierGolden("convnext_small");
  const Tensor x = golden.images();
  const auto model = golden.filled();
  const auto logits = [&](const Pass& pass) {
    const Tensor y = model->forward(x, pass);
    return std::vector<float>(y.data<float>(), y.data<float>() + y.numel());
  };
  const auto whole = logits({ops::Statistics::batch}), one = logits({ops::Statistics::batch, ops::Randomness{1, 0}});
  CHECK(logits(Pass::running()) == whole);
  CHECK(one != whole);
  CHECK(logits({ops::Statistics::batch, ops::Randomness{1, 0}}) == one);
  CHECK(logits({ops::Statistics::batch, ops::Randomness{1, 1}}) != one);
  CHECK(logits({ops::Statistics::batch, ops::Randomness{2, 0}}) != one);
}
