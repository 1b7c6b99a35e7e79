// SPDX-License-Identifier: Apache-2.0
// The elementwise ends of sampling: guidance with the DDIM update, and decoded values to pixels.
#pragma once

#include <cstdint>

namespace motley::kernels {

/// One DDIM step of one image as a linear map: x' = keep * x + move * eps + sigma * noise. With clipping,
/// x0 = clamp(x0_x * x + x0_eps * eps, -1, 1) and x' = from_x0 * x0 + from_eps * eps + sigma * noise.
struct DdimStep {
  float keep, move, sigma;
  bool clip;
  float x0_x, x0_eps, from_x0, from_eps;
};

/// From the cumulative products at the time step and at the one before it (Song et al. 2021, eq. 12); computed in float64.
/// sigma = eta * sqrt((1 - previous) / (1 - alpha) * (1 - alpha / previous)).
DdimStep ddim_step(double alpha, double previous, double eta, bool clip);

struct SamplingKernels {
  /// eps = negative + guidance * (eps - negative), or eps where negative is null; then the step, x (n) in place.
  void (*update)(const DdimStep& step, int64_t n, float* x, const float* eps, const float* negative, float guidance, const float* noise);
  /// decoded (n) nominally in [-1, 1] -> units clamp(x / 2 + 1/2, 0, 1), kept NaN where NaN, and pixels: units * 255
  /// rounded to even, or cut. Either output may be null. Returns whether all values are finite.
  bool (*quantise)(int64_t n, const float* decoded, bool truncate, float* units, uint8_t* pixels);
};
const SamplingKernels& sampling_kernels();

/// Whether an image (pixels, channels) has one colour only.
bool is_constant(const uint8_t* image, int64_t pixels, int64_t channels);

namespace reference {
/// The update of one element in float64, written as the method is published.
double ddim_update(double alpha, double previous, double eta, bool clip, double x, double eps, double noise);
}  // namespace reference

}  // namespace motley::kernels
