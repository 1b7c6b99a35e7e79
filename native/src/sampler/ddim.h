// SPDX-License-Identifier: Apache-2.0
// The DDIM schedule as diffusers' DDIMScheduler makes it ("leading" spacing), alphas in float64 as CompVis computes them.
#pragma once

#include <vector>

#include "motley.h"

namespace motley {

struct DdimSchedule {
  std::vector<int32_t> timesteps;         // descending
  std::vector<double> alpha, alpha_prev;  // cumulative products at each time step and at the one before it
};

void check(const motley_ddim_config& config);
DdimSchedule ddim_schedule(const motley_ddim_config& config, int32_t steps);

}  // namespace motley
