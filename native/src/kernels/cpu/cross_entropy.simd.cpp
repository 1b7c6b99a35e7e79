// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/cross_entropy.h"

#include "kernels/cpu/vec.h"

namespace motley::kernels::MOTLEY_ISA {
namespace {

// The n values at p; the lanes beyond get `other`.
inline Vec get(const float* p, int64_t n, float other) {
  if (n >= kLanes) return load(p);
  float buffer[kLanes];
  for (int64_t i = 0; i < kLanes; ++i) buffer[i] = i < n ? p[i] : other;
  return load(buffer);
}

void cross_entropy(const float* logits, const Targets& targets, int64_t rows, int64_t classes, float smoothing, float scale, double* losses,
                   float* dlogits, uint8_t* right) {
  const float uniform = smoothing / static_cast<float>(classes);
  for (int64_t r = 0; r < rows; ++r) {
    const float* row = logits + r * classes;
    const int32_t label = targets.labels[r];
    const bool mixed = targets.others != nullptr;
    const float share = mixed ? targets.share : 1;
    int64_t best = 0;
    double all = 0;
    for (int64_t k = 0; k < classes; ++k) {
      if (row[k] > row[best]) best = k;
      all += static_cast<double>(row[k]);
    }
    const float top = row[best];
    double total = 0;
    for (int64_t k = 0; k < classes; k += kLanes) {
      total += static_cast<double>(sum(exp(get(row + k, classes - k, -INFINITY) - top)));
    }
    const double log_total = __builtin_log(total), base = static_cast<double>(top) + log_total;
    // -log p[k] = base - logit[k]
    double hit = static_cast<double>(row[label]);
    if (mixed) hit = static_cast<double>(share) * hit + (1 - static_cast<double>(share)) * static_cast<double>(row[targets.others[r]]);
    losses[r] =
        (1 - static_cast<double>(smoothing)) * (base - hit) + static_cast<double>(smoothing) * (base - all / static_cast<double>(classes));
    right[r] = best == targets.main(r);
    if (!dlogits) continue;
    const float over = static_cast<float>(1 / total);
    float* out = dlogits + r * classes;
    for (int64_t k = 0; k < classes; k += kLanes) {
      const Vec d = (exp(get(row + k, classes - k, -INFINITY) - top) * over - uniform) * scale;
      if (classes - k >= kLanes) {
        store(out + k, d);
      } else {
        store_part(out + k, d, classes - k);
      }
    }
    out[label] -= (1 - smoothing) * share * scale;
    if (mixed) out[targets.others[r]] -= (1 - smoothing) * (1 - share) * scale;
  }
}

}  // namespace

const CrossEntropyKernels& cross_entropy_kernels() {
  static constexpr CrossEntropyKernels kernels{cross_entropy};
  return kernels;
}

}  // namespace motley::kernels::MOTLEY_ISA
