// SPDX-License-Identifier: Apache-2.0
#include "sampler/sampler.h"

#include <cmath>

#include "api/handles.h"
#include "sampler/noise.h"

using namespace motley;
using namespace motley::api;

namespace {

constexpr int64_t kMostNormals = int64_t{1} << 34;  // of one draw: 2^32 blocks of four

void check_params(const motley_sample_params& p, const motley_prompts& prompts) {
  check_count("batch", p.batch, kMostImages);
  check_side("height", p.height, 1);
  check_side("width", p.width, 1);
  require(p.as_published >= 0 && p.as_published < 2 * MOTLEY_PUBLISHED_GUIDANCE, "unknown bits in as_published ", p.as_published);
  check_pointer("prompt", p.prompt);
  check_pointer("negative", p.negative);
  check_pointer("guidance", p.guidance);
  bool noisy = false;
  for (int64_t i = 0; i < p.batch; ++i) {
    require(p.prompt[i] >= 0 && p.prompt[i] < prompts.count, "prompt[", i, "] = ", p.prompt[i], " is not one of the ", prompts.count,
            " prompts");
    require(std::isfinite(p.guidance[i]), "guidance[", i, "] is not finite");
    const bool guided = p.guidance[i] != 1.0f || (p.as_published & MOTLEY_PUBLISHED_GUIDANCE) != 0;
    require(!guided || (p.negative[i] >= 0 && p.negative[i] < prompts.count), "negative[", i, "] = ", p.negative[i], " is not one of the ",
            prompts.count, " prompts");
    const float eta = p.eta == nullptr ? 0 : p.eta[i];
    require(eta >= 0 && eta <= 1, "eta[", i, "] must be in [0, 1], got ", eta);
    noisy |= eta > 0;
  }
  const bool drawn = p.latents == nullptr || (noisy && p.noise == nullptr);
  require(!drawn || (p.seed != nullptr && p.image_key != nullptr),
          "seed and image_key are needed: ", p.latents == nullptr ? "latents" : "noise", " is NULL and must be drawn");
}

}  // namespace

motley_status motley_ddim_schedule(const motley_ddim_config* config, int32_t steps, int32_t* timesteps, double* alpha, double* alpha_prev,
                                   motley_error* error) noexcept {
  return guarded(error, [&] {
    const auto& c = checked(config, "motley_ddim_config");
    check_pointer("timesteps", timesteps);
    check_pointer("alpha", alpha);
    check_pointer("alpha_prev", alpha_prev);
    const DdimSchedule schedule = ddim_schedule(c, steps);
    std::copy(schedule.timesteps.begin(), schedule.timesteps.end(), timesteps);
    std::copy(schedule.alpha.begin(), schedule.alpha.end(), alpha);
    std::copy(schedule.alpha_prev.begin(), schedule.alpha_prev.end(), alpha_prev);
  });
}

motley_status motley_sample(motley_unet* unet, const motley_prompts* prompts, const motley_ddim_config* config,
                            const motley_sample_params* params, float* latents, motley_error* error) noexcept {
  return guarded(error, [&] {
    check_pointer("unet", unet);
    check_pointer("prompts", prompts);
    check_pointer("latents", latents);
    const auto& c = checked(config, "motley_ddim_config");
    const auto& p = checked(params, "motley_sample_params");
    require(prompts->model == unet->model, "prompts were made for another unet");
    require(unet->model->config.in_channels == unet->model->config.out_channels, "the unet turns ", unet->model->config.in_channels,
            " channels into ", unet->model->config.out_channels, ": it cannot be sampled from");
    check_params(p, *prompts);
    sample(*unet->model, prompts->prompts, c, p, latents);
  });
}

motley_status motley_noise_philox(uint64_t seed, uint64_t key, uint64_t draw, int64_t n, float* out, motley_error* error) noexcept {
  return guarded(error, [&] {
    check_pointer("out", out);
    check_count("n", n, kMostNormals);
    require(draw >> 32 == 0, "draw must be below 2^32, got ", draw);
    philox_normals(seed, key, draw, n, out);
  });
}

motley_status motley_noise_torch(uint64_t seed, int64_t draws, int64_t n, float* out, motley_error* error) noexcept {
  return guarded(error, [&] {
    check_pointer("out", out);
    check_count("n", n, kMostNormals);
    check_count("draws", draws, kMostNormals / n);
    torch_normals(seed, draws, n, out);
  });
}
