// SPDX-License-Identifier: Apache-2.0
// The diffusion models against the goldens, in float32 within twice PyTorch's own error.
#include <doctest/doctest.h>

#include "support/compare.h"
#include "support/emulated_units.h"
#include "support/models.h"

using namespace motley;
using namespace motley::test;

namespace {

void text_golden(const Golden& g, int32_t precision, const std::string& name) {
  const auto text = make_text(g, precision);
  const auto& raw = g.values("ids");
  const std::vector<int32_t> ids(raw.begin(), raw.end());
  std::vector<float> hidden(g.values("last_hidden_state").size());
  motley_error e;
  ok(motley_text_encode(text.get(), g.shape("ids")[0], ids.data(), hidden.data(), &e), e);
  check_against(g, "last_hidden_state", hidden.data(), name);
}

void unet_golden(const Golden& g, int32_t precision, const std::string& name) {
  const auto unet = make_unet(g, precision);
  const Shape shape = g.shape("sample"), context = g.shape("context");
  const auto& errors = g.meta()["pytorch_error_against_float64"]["float32"];
  for (const auto& [output, error] : errors.members) {
    std::vector<float> timesteps(static_cast<size_t>(shape[0]));
    if (output == "eps_mixed_t") {
      timesteps = {976, 26};
    } else {
      std::fill(timesteps.begin(), timesteps.end(), std::stof(output.substr(5)));
    }
    std::vector<float> eps(g.values(output).size());
    motley_error e;
    ok(motley_unet_forward(unet.get(), shape[0], shape[2], shape[3], context[1], g.values("sample").data(), timesteps.data(),
                           g.values("context").data(), eps.data(), &e),
       e);
    check_against(g, output, eps.data(), name);
  }
}

void vae_golden(const Golden& g, int32_t precision, const std::string& name) {
  const auto vae = make_vae(g, precision);
  const Shape z = g.shape("latent"), x = g.shape("image");
  std::vector<float> decoded(g.values("decoded").size()), mean(g.values("mean").size()), logvar(mean.size());
  motley_error e;
  ok(motley_vae_decode(vae.get(), z[0], z[2], z[3], g.values("latent").data(), decoded.data(), &e), e);
  ok(motley_vae_encode(vae.get(), x[0], x[2], x[3], g.values("image").data(), mean.data(), logvar.data(), &e), e);
  check_against(g, "decoded", decoded.data(), name);
  check_against(g, "mean", mean.data(), name);
  check_against(g, "logvar", logvar.data(), name);
}

}  // namespace

TEST_CASE("the text encoder gives transformers' hidden states") {
  text_golden(Golden("clip_text_small"), MOTLEY_PRECISION_FP32, "float32");
}

TEST_CASE("the UNet gives diffusers' eps, also with mixed time steps") {
  unet_golden(Golden("unet_small"), MOTLEY_PRECISION_FP32, "float32");
}

TEST_CASE("the autoencoder gives diffusers' images and moments") { vae_golden(Golden("vae_small"), MOTLEY_PRECISION_FP32, "float32"); }

TEST_CASE("the full-size Stable Diffusion v1.4 autoencoder gives diffusers' images and moments") {
  vae_golden(Golden("vae_sd14"), MOTLEY_PRECISION_FP32, "float32");
  vae_golden(Golden("vae_sd14"), MOTLEY_PRECISION_BF16, "bfloat16");
  vae_golden(Golden("vae_sd14"), MOTLEY_PRECISION_FP16, "float16");
}

TEST_CASE("the full-size CLIP ViT-L/14 text encoder gives transformers' hidden states") {
  text_golden(Golden("clip_text_sd14"), MOTLEY_PRECISION_FP32, "float32");
  text_golden(Golden("clip_text_sd14"), MOTLEY_PRECISION_BF16, "bfloat16");
  text_golden(Golden("clip_text_sd14"), MOTLEY_PRECISION_FP16, "float16");
}

// 860 million weights are filled and packed.
TEST_CASE("the full-size Stable Diffusion v1.4 UNet gives diffusers' eps") {
  constexpr int64_t kGibibytes = 8;
  if (available_memory() >> 30 < kGibibytes) {
    MESSAGE("SKIPPED: unet_sd14 needs ", kGibibytes, " GiB of free memory");
    return;
  }
  unet_golden(Golden("unet_sd14"), MOTLEY_PRECISION_FP32, "float32");
  unet_golden(Golden("unet_sd14"), MOTLEY_PRECISION_BF16, "bfloat16");
  unet_golden(Golden("unet_sd14"), MOTLEY_PRECISION_FP16, "float16");
}

TEST_CASE("the same on units that multiply pairs of bfloat16") {
  for (const kernels::PairUnit* unit : {&kernels::amx_emulated::pair_unit(), &kernels::avx512_bf16_emulated::pair_unit()}) {
    kernels::use_pair_unit(unit);
    text_golden(Golden("clip_text_small"), MOTLEY_PRECISION_BF16, "bfloat16");
    unet_golden(Golden("unet_small"), MOTLEY_PRECISION_BF16, "bfloat16");
    vae_golden(Golden("vae_small"), MOTLEY_PRECISION_BF16, "bfloat16");
  }
  kernels::use_pair_unit(nullptr);
}

TEST_CASE("in bfloat16 the small models stay within twice PyTorch's bfloat16 error") {
  text_golden(Golden("clip_text_small"), MOTLEY_PRECISION_BF16, "bfloat16");
  unet_golden(Golden("unet_small"), MOTLEY_PRECISION_BF16, "bfloat16");
  vae_golden(Golden("vae_small"), MOTLEY_PRECISION_BF16, "bfloat16");
}

TEST_CASE("in float16 the small models stay within a quarter of PyTorch's bfloat16 error") {
  on_every_isa([] {
    text_golden(Golden("clip_text_small"), MOTLEY_PRECISION_FP16, "float16");
    unet_golden(Golden("unet_small"), MOTLEY_PRECISION_FP16, "float16");
    vae_golden(Golden("vae_small"), MOTLEY_PRECISION_FP16, "float16");
  });
}
