// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/gradient_norm.h"

#include <algorithm>
#include <cmath>

#include "libtorch/parallel.h"

namespace motley::kernels {

MOTLEY_CHOOSE(gradient_norm, GradientNormKernels)

double gradient_norm(const std::vector<GradientTensor>& tensors) {
  constexpr int64_t kPiece = 1 << 14;  // elements
  std::vector<GradientTensor> pieces;
  for (const GradientTensor& t : tensors) {
    for (int64_t i = 0; i < t.n; i += kPiece) pieces.push_back({t.values + i, std::min(kPiece, t.n - i)});
  }
  std::vector<double> sums(pieces.size());
  const auto sum = gradient_norm_kernels().sum_of_squares;
  parallel_for(static_cast<int64_t>(pieces.size()), 8, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const GradientTensor& t = pieces[static_cast<size_t>(i)];
      sums[static_cast<size_t>(i)] = sum(t.values, t.n);
    }
  });
  double total = 0;
  for (double s : sums) total += s;
  return std::sqrt(total);
}

double clip_factor(double norm, double most) {
  constexpr double kNotZero = 1e-6;  // torch's
  return std::min(1.0, most / (norm + kNotZero));
}

namespace reference {

double sum_of_squares(const double* values, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += values[i] * values[i];
  return sum;
}

}  // namespace reference
}  // namespace motley::kernels
