// SPDX-License-Identifier: Apache-2.0
// Softmax cross-entropy with label smoothing, forward and backward in one pass over the logits.
//   loss = -(1 - s) sum_k t[k] log p[k] - s / K * sum_k log p[k],   dlogits = (p - (1 - s) t - s / K) * scale
// The target t is one label's, or of mixed images a share of one label and the rest of another's: what torch's cross_entropy
// makes of probabilities as targets.
#pragma once

#include <cstdint>

#include "kernels/cpu/isa.h"

namespace motley::kernels {

struct Targets {
  const int32_t* labels;  // (rows), in [0, classes)
  const int32_t* others;  // (rows), of what each image is mixed with; null where none is
  float share;            // of the labels; 1 - share is the others'

  Targets(const int32_t* own, const int32_t* mixed_with = nullptr, float own_share = 1)
      : labels(own), others(mixed_with), share(own_share) {}
  Targets from(int64_t row) const { return {labels + row, others ? others + row : nullptr, share}; }
  /// The label of the larger share.
  int32_t main(int64_t row) const { return others && share < 0.5f ? others[row] : labels[row]; }
};

struct CrossEntropyKernels {
  /// logits (rows, classes) -> losses (rows), dlogits (rows, classes; may be null), right (rows): 1 where the first largest
  /// logit is the main label's.
  void (*cross_entropy)(const float* logits, const Targets& targets, int64_t rows, int64_t classes, float smoothing, float scale,
                        double* losses, float* dlogits, uint8_t* right);
};
const CrossEntropyKernels& cross_entropy_kernels();

namespace reference {
void cross_entropy(const double* logits, const Targets& targets, int64_t rows, int64_t classes, double smoothing, double scale,
                   double* losses, double* dlogits, uint8_t* right);
}

}  // namespace motley::kernels
