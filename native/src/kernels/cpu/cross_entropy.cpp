// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/cross_entropy.h"

#include <cmath>

namespace motley::kernels {

MOTLEY_CHOOSE(cross_entropy, CrossEntropyKernels)

namespace reference {

void cross_entropy(const double* logits, const Targets& targets, int64_t rows, int64_t classes, double smoothing, double scale,
                   double* losses, double* dlogits, uint8_t* right) {
  for (int64_t r = 0; r < rows; ++r) {
    const double* row = logits + r * classes;
    int64_t best = 0;
    for (int64_t k = 1; k < classes; ++k) best = row[k] > row[best] ? k : best;
    double total = 0;
    for (int64_t k = 0; k < classes; ++k) total += std::exp(row[k] - row[best]);
    losses[r] = 0;
    for (int64_t k = 0; k < classes; ++k) {
      const double log_p = row[k] - row[best] - std::log(total);
      const double share = targets.others ? static_cast<double>(targets.share) : 1;
      const double hit = (k == targets.labels[r] ? share : 0) + (targets.others && k == targets.others[r] ? 1 - share : 0);
      const double target = (1 - smoothing) * hit + smoothing / static_cast<double>(classes);
      losses[r] -= target * log_p;
      dlogits[r * classes + k] = (std::exp(log_p) - target) * scale;
    }
    right[r] = best == targets.main(r);
  }
}

}  // namespace reference
}  // namespace motley::kernels
