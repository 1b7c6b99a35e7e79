// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <numeric>
#include <vector>

#include "api/handles.h"
#include "api/weights.h"
#include "ops/layout.h"

using namespace motley;
using namespace motley::api;

motley_status motley_unet_create(const motley_unet_config* config, const motley_weights* weights, motley_unet** out,
                                 motley_error* error) noexcept {
  return guarded(error, [&] {
    const auto& c = checked(config, "motley_unet_config");
    check_pointer("weights", weights);
    check_pointer("out", out);
    *out = new motley_unet{make_unet(c, weights->tensors)};
  });
}

void motley_unet_destroy(motley_unet* unet) noexcept { delete unet; }

motley_status motley_unet_forward(motley_unet* unet, int64_t n, int64_t height, int64_t width, int64_t tokens, const float* sample,
                                  const float* timesteps, const float* context, float* eps, motley_error* error) noexcept {
  return guarded(error, [&] {
    check_pointer("unet", unet);
    check_pointer("sample", sample);
    check_pointer("timesteps", timesteps);
    check_pointer("context", context);
    check_pointer("eps", eps);
    const UNet& model = *unet->model;
    check_count("n", n, kMostImages);
    check_count("tokens", tokens, kMostTokens);
    check_side("height", height, 1);
    check_side("width", width, 1);
    for (int64_t i = 0; i < n; ++i) require(std::isfinite(timesteps[i]), "timesteps[", i, "] is not finite");
    std::vector<int32_t> prompt(static_cast<size_t>(n));
    std::iota(prompt.begin(), prompt.end(), 0);
    const Tensor x = ops::from_nchw(sample, n, model.config.in_channels, height, width, model.dtype);
    const Tensor hidden = Tensor::of({n, tokens, model.config.cross_attention_dim}, context);
    ops::to_nchw(motley::unet(model, x, tabulate_time(model, n, timesteps), encode_context(model, hidden), prompt.data()), eps);
  });
}

motley_status motley_prompts_create(motley_unet* unet, int64_t n, int64_t tokens, const float* context, motley_prompts** out,
                                    motley_error* error) noexcept {
  return guarded(error, [&] {
    check_pointer("unet", unet);
    check_pointer("context", context);
    check_pointer("out", out);
    check_count("n", n, kMostImages);
    check_count("tokens", tokens, kMostTokens);
    const Tensor hidden = Tensor::of({n, tokens, unet->model->config.cross_attention_dim}, context);
    *out = new motley_prompts{unet->model, n, {hidden, encode_context(*unet->model, hidden)}};
  });
}

void motley_prompts_destroy(motley_prompts* prompts) noexcept { delete prompts; }
