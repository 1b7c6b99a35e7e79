// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/group_norm.h"

#include <cmath>

#include "kernels/cpu/isa.h"

namespace motley::kernels {

MOTLEY_CHOOSE(group_norm, GroupNormKernels)

void group_norm_coefficients(int64_t pixels, int64_t channels, int64_t groups, double eps, const float* shift, const double* sum,
                             const double* square, const float* weight, const float* bias, float* scale, float* offset) {
  const int64_t width = channels / groups;
  const double n = static_cast<double>(pixels);
  for (int64_t first = 0; first < channels; first += width) {
    double mean = 0;
    for (int64_t c = first; c < first + width; ++c) mean += shift[c] + sum[c] / n;
    mean /= static_cast<double>(width);
    double spread = 0;  // sum of squared deviations from the group's mean (Chan, Golub, LeVeque)
    for (int64_t c = first; c < first + width; ++c) {
      const double from_shift = sum[c] / n, from_mean = shift[c] + from_shift - mean;
      spread += square[c] - sum[c] * from_shift + n * from_mean * from_mean;
    }
    const double rstd = 1.0 / std::sqrt(spread / (n * static_cast<double>(width)) + eps);
    for (int64_t c = first; c < first + width; ++c) {
      scale[c] = static_cast<float>(rstd * weight[c]);
      offset[c] = static_cast<float>(bias[c] - mean * rstd * weight[c]);
    }
  }
}

namespace reference {

void group_norm(const float* x, double* y, int64_t pixels, int64_t channels, int64_t groups, double eps, const float* weight,
                const float* bias, bool silu) {
  const int64_t width = channels / groups;
  for (int64_t g = 0; g < groups; ++g) {
    const double n = static_cast<double>(pixels * width);
    double mean = 0, variance = 0;
    for (int64_t i = 0; i < pixels * width; ++i) mean += x[i / width * channels + g * width + i % width] / n;
    for (int64_t i = 0; i < pixels * width; ++i) {
      const double d = x[i / width * channels + g * width + i % width] - mean;
      variance += d * d / n;
    }
    for (int64_t i = 0; i < pixels * width; ++i) {
      const int64_t c = g * width + i % width, at = i / width * channels + c;
      const double v = (x[at] - mean) / std::sqrt(variance + eps) * weight[c] + bias[c];
      y[at] = silu ? v / (1 + std::exp(-v)) : v;
    }
  }
}

}  // namespace reference
}  // namespace motley::kernels
