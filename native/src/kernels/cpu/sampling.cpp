// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/sampling.h"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/isa.h"

namespace motley::kernels {
namespace {

double sigma_of(double alpha, double previous, double eta) {
  return eta * std::sqrt(std::max(0.0, (1 - previous) / (1 - alpha) * (1 - alpha / previous)));
}

}  // namespace

MOTLEY_CHOOSE(sampling, SamplingKernels)

DdimStep ddim_step(double alpha, double previous, double eta, bool clip) {
  const double sigma = sigma_of(alpha, previous, eta);
  const double from_x0 = std::sqrt(previous), from_eps = std::sqrt(std::max(0.0, 1 - previous - sigma * sigma));
  const double x0_x = 1 / std::sqrt(alpha), x0_eps = -std::sqrt(1 - alpha) / std::sqrt(alpha);
  DdimStep step;
  step.keep = static_cast<float>(from_x0 * x0_x);
  step.move = static_cast<float>(from_x0 * x0_eps + from_eps);
  step.sigma = static_cast<float>(sigma);
  step.clip = clip;
  step.x0_x = static_cast<float>(x0_x);
  step.x0_eps = static_cast<float>(x0_eps);
  step.from_x0 = static_cast<float>(from_x0);
  step.from_eps = static_cast<float>(from_eps);
  return step;
}

bool is_constant(const uint8_t* image, int64_t pixels, int64_t channels) {
  return std::equal(image + channels, image + pixels * channels, image);  // each pixel like the one before it
}

namespace reference {

double ddim_update(double alpha, double previous, double eta, bool clip, double x, double eps, double noise) {
  double x0 = (x - std::sqrt(1 - alpha) * eps) / std::sqrt(alpha);
  if (clip) x0 = std::clamp(x0, -1.0, 1.0);
  const double sigma = sigma_of(alpha, previous, eta);
  return std::sqrt(previous) * x0 + std::sqrt(1 - previous - sigma * sigma) * eps + sigma * noise;
}

}  // namespace reference
}  // namespace motley::kernels
