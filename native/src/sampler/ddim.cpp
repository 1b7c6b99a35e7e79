// SPDX-License-Identifier: Apache-2.0
#include "sampler/ddim.h"

#include <cmath>

#include "libtorch/error.h"

namespace motley {
namespace {

std::vector<double> cumulative_alphas(const motley_ddim_config& c) {
  const bool scaled = c.beta_schedule == MOTLEY_BETAS_SCALED_LINEAR;
  const double first = scaled ? std::sqrt(c.beta_start) : c.beta_start, last = scaled ? std::sqrt(c.beta_end) : c.beta_end;
  std::vector<double> alphas;
  double product = 1;
  for (int32_t t = 0; t < c.train_timesteps; ++t) {
    const double at = c.train_timesteps == 1 ? 0 : static_cast<double>(t) / (c.train_timesteps - 1);
    const double value = first + (last - first) * at;
    product *= 1 - (scaled ? value * value : value);
    alphas.push_back(product);
  }
  return alphas;
}

}  // namespace

void check(const motley_ddim_config& c) {
  require(c.train_timesteps >= 1 && c.train_timesteps <= 1'000'000, "train_timesteps must be 1 to 1000000, got ", c.train_timesteps);
  require(c.steps_offset >= 0 && c.steps_offset < c.train_timesteps, "steps_offset must be 0 to ", c.train_timesteps - 1, ", got ",
          c.steps_offset);
  require(c.beta_schedule == MOTLEY_BETAS_SCALED_LINEAR || c.beta_schedule == MOTLEY_BETAS_LINEAR, "unknown beta_schedule ",
          c.beta_schedule, ": expected 0 (scaled_linear) or 1 (linear)");
  require(c.beta_start > 0 && c.beta_start <= c.beta_end && c.beta_end < 1, "betas must satisfy 0 < beta_start <= beta_end < 1, got ",
          c.beta_start, " and ", c.beta_end);
}

DdimSchedule ddim_schedule(const motley_ddim_config& c, int32_t steps) {
  check(c);
  require(steps >= 1 && steps <= c.train_timesteps - c.steps_offset, "steps must be 1 to ", c.train_timesteps - c.steps_offset, ", got ",
          steps);
  const std::vector<double> alphas = cumulative_alphas(c);
  const int32_t stride = c.train_timesteps / steps;
  const int64_t highest = int64_t{steps - 1} * stride + c.steps_offset;
  require(highest < c.train_timesteps, steps, " steps with steps_offset ", c.steps_offset, " begin at time step ", highest, ", beyond the ",
          c.train_timesteps, " the model was trained on: take fewer steps");
  DdimSchedule schedule;
  for (int32_t i = steps - 1; i >= 0; --i) {
    const int32_t t = i * stride + c.steps_offset, previous = t - stride;
    schedule.timesteps.push_back(t);
    schedule.alpha.push_back(alphas[static_cast<size_t>(t)]);
    schedule.alpha_prev.push_back(previous >= 0 ? alphas[static_cast<size_t>(previous)] : c.set_alpha_to_one ? 1.0 : alphas[0]);
  }
  return schedule;
}

}  // namespace motley
