// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/adamw.h"

#include <algorithm>
#include <cmath>

#include "libtorch/parallel.h"

namespace motley::kernels {

MOTLEY_CHOOSE(adamw, AdamwKernels)

AdamwFactors adamw_factors(const AdamwStep& s) {
  const double t = static_cast<double>(s.step);
  return {static_cast<float>(1 - s.learning_rate * s.decay),
          static_cast<float>(1 - s.beta1),
          static_cast<float>(s.beta2),
          static_cast<float>(1 - s.beta2),
          static_cast<float>(s.learning_rate / (1 - std::pow(s.beta1, t))),
          static_cast<float>(1 / std::sqrt(1 - std::pow(s.beta2, t))),
          static_cast<float>(s.epsilon),
          static_cast<float>(s.gradient_scale)};
}

void adamw(const std::vector<AdamwTensor>& tensors, const AdamwStep& step) {
  constexpr int64_t kPiece = 1 << 14;  // elements; a piece's four streams fill half of a 512 KiB second-level cache
  std::vector<AdamwTensor> pieces;
  for (const AdamwTensor& t : tensors) {
    for (int64_t i = 0; i < t.n; i += kPiece) {
      pieces.push_back({t.parameter + i, t.gradient + i, t.exp_avg + i, t.exp_avg_sq + i, std::min(kPiece, t.n - i)});
    }
  }
  const AdamwFactors factors = adamw_factors(step);
  const auto update = adamw_kernels().update;
  parallel_for(static_cast<int64_t>(pieces.size()), 4, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const AdamwTensor& t = pieces[static_cast<size_t>(i)];
      update(t.parameter, t.gradient, t.exp_avg, t.exp_avg_sq, t.n, factors);
    }
  });
}

namespace reference {

void adamw(double* p, const double* g, double* m, double* v, int64_t n, const AdamwStep& s) {
  const double t = static_cast<double>(s.step);
  for (int64_t i = 0; i < n; ++i) {
    p[i] *= 1 - s.learning_rate * s.decay;
    const double gradient = g[i] * s.gradient_scale;
    m[i] = s.beta1 * m[i] + (1 - s.beta1) * gradient;
    v[i] = s.beta2 * v[i] + (1 - s.beta2) * gradient * gradient;
    const double m_hat = m[i] / (1 - std::pow(s.beta1, t)), v_hat = v[i] / (1 - std::pow(s.beta2, t));
    p[i] -= s.learning_rate * m_hat / (std::sqrt(v_hat) + s.epsilon);
  }
}

}  // namespace reference
}  // namespace motley::kernels
