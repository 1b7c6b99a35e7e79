// SPDX-License-Identifier: Apache-2.0
// Softmax cross-entropy with label smoothing, forward and backward in one pass over the logits.
//   loss = -(1 - s) log p[label] - s / K * sum_k log p[k],   dlogits = (p - (1 - s) onehot - s / K) * scale
#pragma once

#include <cstdint>

#include "kernels/cpu/isa.h"

namespace motley::kernels {

struct CrossEntropyKernels {
  /// logits (rows, classes), labels (rows) in [0, classes) -> losses (rows), dlogits (rows, classes; may be null),
  /// right (rows): 1 where the first largest logit is the label's.
  void (*cross_entropy)(const float* logits, const int32_t* labels, int64_t rows, int64_t classes, float smoothing,
                        float scale, double* losses, float* dlogits, uint8_t* right);
};
const CrossEntropyKernels& cross_entropy_kernels();

namespace reference {
void cross_entropy(const double* logits, const int32_t* labels, int64_t rows, int64_t classes, double smoothing,
                   double scale, double* losses, double* dlogits, uint8_t* right);
}

}  // namespace motley::kernels
