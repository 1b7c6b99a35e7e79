// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/cross_entropy.h"

#include <cmath>

namespace motley::kernels {

MOTLEY_CHOOSE(cross_entropy, CrossEntropyKernels)

namespace reference {

void cross_entropy(const double* logits, const int32_t* labels, int64_t rows, int64_t classes, double smoothing,
                   double scale, double* losses, double* dlogits, uint8_t* right) {
  for (int64_t r = 0; r < rows; ++r) {
    const double* row = logits + r * classes;
    int64_t best = 0;
    for (int64_t k = 1; k < classes; ++k) best = row[k] > row[best] ? k : best;
    double total = 0;
    for (int64_t k = 0; k < classes; ++k) total += std::exp(row[k] - row[best]);
    losses[r] = 0;
    for (int64_t k = 0; k < classes; ++k) {
      const double log_p = row[k] - row[best] - std::log(total);
      const double target = (k == labels[r] ? 1 - smoothing : 0.0) + smoothing / static_cast<double>(classes);
      losses[r] -= target * log_p;
      dlogits[r * classes + k] = (std::exp(log_p) - target) * scale;
    }
    right[r] = best == labels[r];
  }
}

}  // namespace reference
}  // namespace motley::kernels
