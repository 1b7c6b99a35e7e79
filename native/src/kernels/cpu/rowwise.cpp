// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/rowwise.h"

#include <cmath>

#include "kernels/cpu/isa.h"

namespace motley::kernels {

MOTLEY_CHOOSE(rowwise, RowwiseKernels)

namespace reference {

void layer_norm(const float* x, double* y, int64_t rows, int64_t width, double eps, const float* weight,
                const float* bias) {
  for (int64_t r = 0; r < rows; ++r, x += width, y += width) {
    double mean = 0, variance = 0;
    for (int64_t c = 0; c < width; ++c) mean += x[c] / static_cast<double>(width);
    for (int64_t c = 0; c < width; ++c) variance += (x[c] - mean) * (x[c] - mean) / static_cast<double>(width);
    for (int64_t c = 0; c < width; ++c) y[c] = (x[c] - mean) / std::sqrt(variance + eps) * weight[c] + bias[c];
  }
}

double gelu(double x) { return 0.5 * x * std::erfc(-x * 0.70710678118654752440); }
double quick_gelu(double x) { return x / (1 + std::exp(-1.702 * x)); }
double silu(double x) { return x / (1 + std::exp(-x)); }

}  // namespace reference
}  // namespace motley::kernels
