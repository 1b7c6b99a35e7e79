// SPDX-License-Identifier: Apache-2.0
// CLIP's vision encoder: against the goldens, within twice PyTorch's own error, and what its C ABI refuses.
#include <doctest/doctest.h>

#include <limits>

#include "libtorch/memory.h"
#include "support/compare.h"
#include "support/models.h"

using namespace motley;
using namespace motley::test;

namespace {

// The golden's input, stored or made by the rule.
std::vector<float> pixels_of(const Golden& g) {
  if (g.has("pixels")) return g.values("pixels");
  const auto size = static_cast<int64_t>(g.meta()["config"]["image_size"].number);
  return fill_input("clip_vision.pixels", {g.shape("image_embeds")[0], 3, size, size});
}

std::vector<float> encode(motley_vision* vision, int64_t n, const float* pixels, int64_t projection) {
  std::vector<float> embeds(static_cast<size_t>(n * projection));
  motley_error e;
  ok(motley_vision_encode(vision, n, pixels, embeds.data(), &e), e);
  return embeds;
}

void vision_golden(const std::string& name, int32_t precision, const std::string& precision_name) {
  const Golden g(name);
  const auto vision = make_vision(g, precision);
  const Shape shape = g.shape("image_embeds");
  const auto embeds = encode(vision.get(), shape[0], pixels_of(g).data(), shape[1]);
  check_against(g, "image_embeds", embeds.data(), precision_name);
}

std::string refusal(const motley_vision_config* config, const motley_weights* weights) {
  motley_vision* vision = nullptr;
  motley_error e = {};
  CHECK(motley_vision_create(config, weights, &vision, &e) == MOTLEY_INVALID_ARGUMENT);
  CHECK(vision == nullptr);
  return e.message;
}

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("the vision encoder gives transformers' image embeddings") {
  on_every_isa([] {
    vision_golden("clip_vision_small", MOTLEY_PRECISION_FP32, "float32");
    vision_golden("clip_vision_small", MOTLEY_PRECISION_BF16, "bfloat16");
    vision_golden("clip_vision_small", MOTLEY_PRECISION_FP16, "float16");
  });
}

// 304 million weights are filled and packed.
TEST_CASE("the full-size CLIP ViT-L/14 vision encoder gives transformers' image embeddings") {
  constexpr int64_t kGibibytes = 5;
  if (available_memory() >> 30 < kGibibytes) {
    MESSAGE("SKIPPED: clip_vision_vitl14 needs ", kGibibytes, " GiB of free memory");
    return;
  }
  vision_golden("clip_vision_vitl14", MOTLEY_PRECISION_FP32, "float32");
  vision_golden("clip_vision_vitl14", MOTLEY_PRECISION_BF16, "bfloat16");
  vision_golden("clip_vision_vitl14", MOTLEY_PRECISION_FP16, "float16");
}

TEST_CASE("the vision encoder's embedding of an image does not depend on its batch") {
  const Golden g("clip_vision_small");
  for (int32_t precision : {MOTLEY_PRECISION_FP32, MOTLEY_PRECISION_BF16, MOTLEY_PRECISION_FP16}) {
    const auto vision = make_vision(g, precision);
    const int64_t n = 5, pixels = 3 * 28 * 28, projection = 32;
    const auto images = normals(static_cast<size_t>(n * pixels), 1);
    const auto together = encode(vision.get(), n, images.data(), projection);
    for (int64_t i = 0; i < n; ++i) {
      const auto alone = encode(vision.get(), 1, images.data() + i * pixels, projection);
      CHECK(std::equal(alone.begin(), alone.end(), together.begin() + i * projection));
    }
  }
}

TEST_CASE("the vision encoder ignores pixels that fill no patch") {
  const Golden g("clip_vision_small");
  const FilledWeights filled(g.meta()["state_dict"], "clip_vision.");
  const motley_weights weights{filled.tensors()};
  motley_vision_config c = vision_config(g.meta()["config"]);
  c.image_size = 30;  // 4 patches of 7 and 2 pixels over, as 28
  motley_vision* made = nullptr;
  motley_error e;
  ok(motley_vision_create(&c, &weights, &made, &e), e);
  const Handle<motley_vision> vision(made);
  const auto& small = g.values("pixels");
  std::vector<float> large(3 * 30 * 30, 1e3f);
  for (size_t i = 0; i < 3 * 28 * 28; ++i) large[i / 784 * 900 + i / 28 % 28 * 30 + i % 28] = small[i];
  const auto plain = make_vision(g);
  CHECK(encode(vision.get(), 1, large.data(), 32) == encode(plain.get(), 1, small.data(), 32));
}

TEST_CASE("the vision encoder's tensors may have position_ids, and no vision_model. in front") {
  const Golden g("clip_vision_small");
  const FilledWeights filled(g.meta()["state_dict"], "clip_vision.");
  const motley_weights published{filled.tensors()};
  motley_weights prefixed = published, bare;
  const int64_t ids[17] = {};
  prefixed.tensors["vision_model.embeddings.position_ids"] = {DType::i64, {1, 17}, ids};
  const std::string prefix = "vision_model.";
  for (const auto& [name, tensor] : prefixed.tensors) {
    bare.tensors[name.rfind(prefix, 0) == 0 ? name.substr(prefix.size()) : name] = tensor;
  }
  const auto config = vision_config(g.meta()["config"]);
  const auto& pixels = g.values("pixels");
  const auto expected = encode(make_vision(g).get(), 2, pixels.data(), 32);
  for (const motley_weights* weights : {&prefixed, &bare}) {
    motley_vision* made = nullptr;
    motley_error e;
    ok(motley_vision_create(&config, weights, &made, &e), e);
    const Handle<motley_vision> vision(made);
    CHECK(encode(made, 2, pixels.data(), 32) == expected);
  }
}

TEST_CASE("vision configs that make no sense are refused") {
  const motley_weights none;
  const motley_vision_config good = vision_config(Golden("clip_vision_small").meta()["config"]);
  using C = motley_vision_config;
  for (auto [field, value, message] : {std::tuple{&C::heads, 5, "width 48 is not a multiple of heads 5"},
                                       {&C::layers, 0, "must be positive"},
                                       {&C::projection, -1, "must be positive"},
                                       {&C::layers, 2000000000, "at most 256 layers"},
                                       {&C::width, 2000000000, "65536 channels"},
                                       {&C::image_size, 2000000000, "65536 pixels a side"},
                                       {&C::patch_size, 29, "patch_size 29 is larger than image_size 28"},
                                       {&C::activation, 7, "unknown activation 7"},
                                       {&C::precision, 9, "unknown precision 9"}}) {
    C wrong = good;
    wrong.*field = value;
    CHECK(contains(refusal(&wrong, &none), message));
  }
  motley_vision_config wrong = good;
  wrong.norm_eps = std::numeric_limits<double>::quiet_NaN();
  CHECK(contains(refusal(&wrong, &none), "norm_eps must be in (0, 1)"));
  wrong.struct_size = 3;
  CHECK(contains(refusal(&wrong, &none), "motley_vision_config.struct_size is 3"));
  CHECK(contains(refusal(nullptr, &none), "motley_vision_config is NULL"));
  CHECK(contains(refusal(&good, nullptr), "weights is NULL"));
}

TEST_CASE("the vision encoder's missing, extra and mis-shaped tensors are one error, and nothing leaks") {
  const int64_t live = memory::live_bytes();
  {
    const Golden g("clip_vision_small");
    const FilledWeights filled(g.meta()["state_dict"], "clip_vision.");
    motley_weights weights{filled.tensors()};
    weights.tensors.erase("vision_model.pre_layrnorm.bias");
    weights.tensors["visual_projection.weight"].shape = {16, 96};
    weights.tensors["logit_scale"] = {DType::f32, {}, weights.tensors["vision_model.embeddings.class_embedding"].data};
    const auto config = vision_config(g.meta()["config"]);
    const std::string message = refusal(&config, &weights);
    CHECK(contains(message, "vision_encoder: "));
    CHECK(contains(message, "vision_model.pre_layrnorm.bias is missing (expected (48))"));
    CHECK(contains(message, "visual_projection.weight has shape (16, 96), expected (32, 48)"));
    CHECK(contains(message, "logit_scale () is not part of the model"));
  }
  CHECK(memory::live_bytes() == live);
}

TEST_CASE("arguments of the vision encoder are checked") {
  const auto vision = make_vision(Golden("clip_vision_small"));
  std::vector<float> f(3 * 28 * 28);
  auto refused = [&](motley_vision* v, int64_t n, const float* pixels, float* embeds, const char* message) {
    motley_error e = {};
    CHECK(motley_vision_encode(v, n, pixels, embeds, &e) == MOTLEY_INVALID_ARGUMENT);
    CHECK(contains(e.message, message));
  };
  refused(nullptr, 1, f.data(), f.data(), "vision is NULL");
  refused(vision.get(), 0, f.data(), f.data(), "n must be 1 to");
  refused(vision.get(), 1, nullptr, f.data(), "pixels is NULL");
  refused(vision.get(), 1, f.data(), nullptr, "embeds is NULL");
  motley_vision_destroy(nullptr);
}
