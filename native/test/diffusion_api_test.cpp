// SPDX-License-Identifier: Apache-2.0
// The C ABI of the diffusion models refuses what is wrong with one clear line, and does not crash.
#include <doctest/doctest.h>

#include <limits>

#include "libtorch/memory.h"
#include "support/compare.h"
#include "support/models.h"

using namespace motley;
using namespace motley::test;

namespace {

struct Refusal {
  motley_error error = {};
  // Expects `status` to be a refusal whose message holds `text`.
  void operator()(motley_status status, const char* text) {
    CAPTURE(text);
    CHECK(status == MOTLEY_INVALID_ARGUMENT);
    CHECK(std::string(error.message).find(text) != std::string::npos);
    CHECK(std::string(error.message).find('\n') == std::string::npos);
  }
};

}  // namespace

TEST_CASE("configs that make no sense are refused") {
  Refusal refused;
  motley_weights weights;
  motley_text* text = nullptr;
  motley_unet* unet = nullptr;
  motley_vae* vae = nullptr;
  motley_text_config t = text_config(Golden("clip_text_small").meta()["config"]);
  motley_unet_config u = unet_config(Golden("unet_small").meta()["config"]);
  motley_vae_config v = vae_config(Golden("vae_small").meta()["config"]);
  refused(motley_text_create(nullptr, &weights, &text, &refused.error), "motley_text_config is NULL");
  refused(motley_text_create(&t, nullptr, &text, &refused.error), "weights is NULL");
  refused(motley_text_create(&t, &weights, nullptr, &refused.error), "out is NULL");
  for (auto [field, value, message] : {std::tuple{&motley_text_config::heads, 5, "width 48 is not a multiple of heads 5"},
                                       {&motley_text_config::layers, 0, "must be positive"},
                                       {&motley_text_config::layers, 2000000000, "at most 256 layers"},
                                       {&motley_text_config::vocabulary, 2000000000, "16777216 tokens"},
                                       {&motley_text_config::activation, 7, "unknown activation 7"},
                                       {&motley_text_config::precision, 9, "unknown precision 9"}}) {
    motley_text_config wrong = t;
    wrong.*field = value;
    refused(motley_text_create(&wrong, &weights, &text, &refused.error), message);
  }
  t.struct_size = 3;
  refused(motley_text_create(&t, &weights, &text, &refused.error), "struct_size is 3");
  for (auto [field, value, message] : {std::tuple{&motley_unet_config::block_count, 9, "block_count must be 1 to 8"},
                                       {&motley_unet_config::norm_groups, 7, "is not a positive multiple of norm_groups 7"},
                                       {&motley_unet_config::layers_per_block, -1, "must be positive"},
                                       {&motley_unet_config::layers_per_block, 2000000000, "at most 256 layers_per_block"},
                                       {&motley_unet_config::cross_attention_dim, 2000000000, "65536 channels"}}) {
    motley_unet_config wrong = u;
    wrong.*field = value;
    refused(motley_unet_create(&wrong, &weights, &unet, &refused.error), message);
  }
  u.heads[1] = 5;
  refused(motley_unet_create(&u, &weights, &unet, &refused.error), "block_channels[1] = 64 is not a multiple of heads[1] = 5");
  v.scaling_factor = std::numeric_limits<double>::quiet_NaN();
  refused(motley_vae_create(&v, &weights, &vae, &refused.error), "scaling_factor must be positive");
  CHECK(text == nullptr);
}

TEST_CASE("missing, extra and mis-shaped tensors are one error naming keys and shapes") {
  const int64_t live = memory::live_bytes();
  {
    Refusal refused;
    const Golden g("unet_small");
    const FilledWeights filled(g.meta()["state_dict"], "unet.");
    motley_weights weights{filled.tensors()};
    weights.tensors.erase("mid_block.resnets.0.conv1.bias");
    weights.tensors["conv_in.weight"].shape = {32, 4, 9};
    weights.tensors["surplus"] = weights.tensors["conv_out.bias"];
    const auto config = unet_config(g.meta()["config"]);
    motley_unet* unet = nullptr;
    const auto status = motley_unet_create(&config, &weights, &unet, &refused.error);
    refused(status, "unet: ");
    refused(status, "mid_block.resnets.0.conv1.bias is missing (expected (96))");
    refused(status, "conv_in.weight has shape (32, 4, 9), expected (32, 4, 3, 3)");
    refused(status, "surplus (4) is not part of the model");
    CHECK(unet == nullptr);
  }
  CHECK(memory::live_bytes() == live);
}

TEST_CASE("position_ids may be there, and the prefix of published text encoders may be absent") {
  const Golden g("clip_text_small");
  const FilledWeights filled(g.meta()["state_dict"], "text_encoder.");
  motley_weights prefixed{filled.tensors()}, bare;
  const float ids[77] = {};
  prefixed.tensors["text_model.embeddings.position_ids"] = {DType::f32, {1, 77}, ids};
  for (const auto& [name, tensor] : filled.tensors()) bare.tensors[name.substr(11)] = tensor;
  const auto config = text_config(g.meta()["config"]);
  for (const motley_weights* weights : {&prefixed, &bare}) {
    motley_text* text = nullptr;
    motley_error e;
    ok(motley_text_create(&config, weights, &text, &e), e);
    motley_text_destroy(text);
  }
}

TEST_CASE("the autoencoder's attention may have its former names") {
  const Golden g("vae_small");
  const FilledWeights filled(g.meta()["state_dict"], "vae.");
  motley_weights old;
  for (const auto& [key, tensor] : filled.tensors()) {
    std::string name = key;
    for (const auto& [now, before] :
         {std::pair<std::string, std::string>{"to_q", "query"}, {"to_k", "key"}, {"to_v", "value"}, {"to_out.0", "proj_attn"}}) {
      const auto at = name.find("attentions.0." + now);
      if (at != std::string::npos) name.replace(at + 13, now.size(), before);
    }
    old.tensors[name] = tensor;
  }
  const auto config = vae_config(g.meta()["config"]);
  motley_vae* vae = nullptr;
  motley_error e;
  ok(motley_vae_create(&config, &old, &vae, &e), e);
  motley_vae_destroy(vae);
}

TEST_CASE("arguments of the models are checked") {
  Refusal refused;
  motley_error& e = refused.error;
  const auto text = make_text(Golden("clip_text_small"));
  const auto unet = make_unet(Golden("unet_small"));
  const auto vae = make_vae(Golden("vae_small"));
  std::vector<int32_t> ids(77, 49408), flags(1);
  std::vector<float> f(77 * 64 * 64);
  refused(motley_text_encode(text.get(), 1, ids.data(), f.data(), &e), "ids[0] = 49408 is not in the vocabulary of 49408");
  refused(motley_text_encode(nullptr, 1, ids.data(), f.data(), &e), "text is NULL");
  refused(motley_text_encode(text.get(), 0, ids.data(), f.data(), &e), "n must be 1 to");
  const float t = 5, nan = std::numeric_limits<float>::quiet_NaN();
  refused(motley_unet_forward(unet.get(), 1, 0, 8, 77, f.data(), &t, f.data(), f.data(), &e), "height must be a multiple of 1");
  refused(motley_unet_forward(unet.get(), 1, 8, 8, 0, f.data(), &t, f.data(), f.data(), &e), "tokens must be 1 to");
  refused(motley_unet_forward(unet.get(), 1, 8, 8, 77, f.data(), &nan, f.data(), f.data(), &e), "timesteps[0] is not finite");
  refused(motley_unet_forward(unet.get(), 1, 8, 8, 77, nullptr, &t, f.data(), f.data(), &e), "sample is NULL");
  refused(motley_vae_decode(vae.get(), 1, -8, 8, f.data(), f.data(), &e), "h must be a multiple of 1");
  refused(motley_vae_encode(vae.get(), 1, 30, 32, f.data(), f.data(), f.data(), &e), "height must be a multiple of 4");
  refused(motley_vae_decode_pixels(vae.get(), 1, 8, 8, f.data(), 0, nullptr, nullptr, flags.data(), &e), "pixels and floats are both NULL");
  refused(motley_vae_decode_pixels(vae.get(), 1, 8, 8, f.data(), 2, nullptr, f.data(), flags.data(), &e), "truncate must be 0 or 1, got 2");
  CHECK(motley_vae_decode(nullptr, 1, 8, 8, f.data(), f.data(), nullptr) == MOTLEY_INVALID_ARGUMENT);
  motley_text_destroy(nullptr);
  motley_unet_destroy(nullptr);
  motley_vae_destroy(nullptr);
  motley_prompts_destroy(nullptr);
}

TEST_CASE("arguments of the sampler are checked") {
  Refusal refused;
  motley_error& e = refused.error;
  const auto unet = make_unet(Golden("unet_small")), other = make_unet(Golden("unet_small"));
  const std::vector<float> context(2 * 77 * 48);
  motley_prompts* made = nullptr;
  refused(motley_prompts_create(unet.get(), 0, 77, context.data(), &made, &e), "n must be 1 to");
  ok(motley_prompts_create(unet.get(), 2, 77, context.data(), &made, &e), e);
  const Handle<motley_prompts> prompts(made);
  const auto ddim = ddim_config();
  const int32_t zero[] = {0}, two[] = {2};
  const float guidance[] = {2}, one[] = {1}, infinite[] = {INFINITY}, eta[] = {1.5f};
  const uint64_t seed[] = {1};
  motley_sample_params good = {};
  good.struct_size = sizeof good;
  good.batch = 1;
  good.height = good.width = 8;
  good.steps = 2;
  good.prompt = good.negative = zero;
  good.guidance = guidance;
  good.seed = good.image_key = seed;
  std::vector<float> out(256);
  auto sample = [&](auto change) {
    motley_sample_params p = good;
    change(p);
    return motley_sample(unet.get(), prompts.get(), &ddim, &p, out.data(), &e);
  };
  CHECK(sample([](auto&) {}) == MOTLEY_OK);
  refused(sample([](auto& p) { p.batch = 0; }), "batch must be 1 to");
  refused(sample([](auto& p) { p.width = 1 << 15; }), "width must be a multiple of 1 up to 16384, got 32768");
  refused(sample([](auto& p) { p.first_step = p.steps; }), "first_step must be 0 to ");
  refused(sample([](auto& p) { p.as_published = 32; }), "unknown bits in as_published 32");
  refused(sample([](auto& p) { p.steps = 0; }), "steps must be 1 to 999, got 0");
  refused(sample([&](auto& p) { p.prompt = two; }), "prompt[0] = 2 is not one of the 2 prompts");
  refused(sample([&](auto& p) { p.negative = two; }), "negative[0] = 2 is not one of the 2 prompts");
  CHECK(sample([&](auto& p) { p.negative = two, p.guidance = one; }) == MOTLEY_OK);  // which reads none
  refused(sample([&](auto& p) { p.negative = two, p.guidance = one, p.as_published = MOTLEY_PUBLISHED_GUIDANCE; }),
          "negative[0] = 2 is not one of the 2 prompts");
  refused(sample([&](auto& p) { p.guidance = infinite; }), "guidance[0] is not finite");
  refused(sample([&](auto& p) { p.eta = eta; }), "eta[0] must be in [0, 1], got 1.5");
  refused(sample([](auto& p) { p.seed = nullptr; }), "latents is NULL and must be drawn");
  refused(sample([](auto& p) { p.struct_size = 8; }), "struct_size is 8");
  refused(motley_sample(other.get(), prompts.get(), &ddim, &good, out.data(), &e), "prompts were made for another unet");
  refused(motley_sample(unet.get(), prompts.get(), nullptr, &good, out.data(), &e), "motley_ddim_config is NULL");
  motley_ddim_config wrong = ddim;
  wrong.beta_end = 2;
  refused(motley_sample(unet.get(), prompts.get(), &wrong, &good, out.data(), &e), "betas must satisfy");
}

TEST_CASE("prompts outlive their unet, and are not taken for those of another in its place") {
  Refusal refused;
  motley_error& e = refused.error;
  auto unet = make_unet(Golden("unet_small"));
  const auto context = normals(2 * 3 * 48, 1);
  motley_prompts* made = nullptr;
  ok(motley_prompts_create(unet.get(), 2, 3, context.data(), &made, &e), e);
  const Handle<motley_prompts> prompts(made);
  unet.reset();
  const auto later = make_unet(Golden("unet_small"));
  const int32_t prompt[] = {1}, negative[] = {0};
  const float guidance[] = {2};
  const uint64_t seed[] = {1}, key[] = {1};
  motley_sample_params p = {};
  p.struct_size = sizeof p;
  p.batch = 1;
  p.height = p.width = 8;
  p.steps = 2;
  p.prompt = prompt;
  p.negative = negative;
  p.guidance = guidance;
  p.seed = seed;
  p.image_key = key;
  const auto ddim = ddim_config();
  std::vector<float> latents(256);
  refused(motley_sample(later.get(), prompts.get(), &ddim, &p, latents.data(), &e), "prompts were made for another unet");
}
