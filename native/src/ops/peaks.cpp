// SPDX-License-Identifier: Apache-2.0
#include "ops/peaks.h"

#include <algorithm>
#include <chrono>

#include "kernels/cpu/peak.h"
#include "ops/linear.h"

namespace motley::ops {
namespace {

double product_peak(DType dtype) {
  constexpr int64_t kRows = 2048, kDepth = 1536, kColumns = 1536;
  constexpr int kTimes = 5;
  using Time = std::chrono::steady_clock;
  const Tensor x = Tensor::zeros({kRows, kDepth}, dtype);
  const Weight w(Tensor::zeros({kColumns, kDepth}, dtype));
  double best = 1e30;
  for (int i = 0; i < kTimes; ++i) {
    const auto start = Time::now();
    linear(x, w);
    best = std::min(best, std::chrono::duration<double>(Time::now() - start).count());
  }
  return 2.0 * kRows * kDepth * kColumns / best;
}

}  // namespace

Peaks measure_peaks(DType dtype) { return {kernels::multiply_add_peak(dtype == DType::bf16), product_peak(dtype), kernels::copy_peak()}; }

}  // namespace motley::ops
