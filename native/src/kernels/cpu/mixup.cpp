// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/mixup.h"

#include <cmath>

#include "kernels/philox.h"
#include "libtorch/parallel.h"

namespace motley::kernels {

MOTLEY_CHOOSE(mixup, MixupKernels)

namespace {

// The logarithm of a number from Gamma(shape, 1): Marsaglia and Tsang 2000, and for shapes below 1 their Gamma(shape + 1) times
// U^(1 / shape), of which only the logarithm does not vanish when the shape is small.
double log_gamma_draw(double shape, PhiloxStream& random) {
  const double boost = shape < 1 ? std::log(1 - random.uniform()) / shape : 0;
  const double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  while (true) {
    double x = 0, unused = 0;
    const uint32_t first = random.next(), second = random.next();
    box_muller(first, second, x, unused);
    const double root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    if (std::log(1 - random.uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return std::log(d * v) + boost;
  }
}

}  // namespace

double draw_share(double alpha, uint64_t seed, uint64_t epoch, uint64_t step) {
  PhiloxStream random(seed, (epoch << 32) | step, draws::kMix);
  const double a = log_gamma_draw(alpha, random), b = log_gamma_draw(alpha, random);
  return 1 / (1 + std::exp(b - a));
}

void mixup(const float* images, int64_t n, int64_t values, double share, float* out) {
  const auto mix = mixup_kernels().mix;
  parallel_for(n, 8, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      mix(images + i * values, images + (i == 0 ? n - 1 : i - 1) * values, values, static_cast<float>(share), out + i * values);
    }
  });
}

namespace reference {

void mixup(const double* images, int64_t n, int64_t values, double share, double* out) {
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t k = 0; k < values; ++k) {
      out[i * values + k] = share * images[i * values + k] + (1 - share) * images[(i + n - 1) % n * values + k];
    }
  }
}

}  // namespace reference
}  // namespace motley::kernels
