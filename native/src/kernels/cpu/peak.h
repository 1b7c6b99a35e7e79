// SPDX-License-Identifier: Apache-2.0
// What the machine can do at most, measured: arithmetic without memory, and memory without arithmetic.
#pragma once

#include <cstdint>

#include "kernels/cpu/isa.h"

namespace motley::kernels {

struct PeakKernels {
  /// So many rounds of multiply-adds on twelve registers; returns the additions and multiplications done.
  double (*multiply_adds)(int64_t rounds);
};
const PeakKernels& peak_kernels();

/// Does nothing but multiply-adds on registers, on this thread, for about a millisecond: of float32, or of bf16 pairs on the
/// pair_unit() there is. Returns the floating-point operations done.
double multiply_adds(bool pairs);

/// Operations per second of all threads at once: of each its best trial.
double multiply_add_peak(bool pairs);

/// A copy by all threads of blocks that no cache holds: bytes read and written per second, the best of some trials.
double copy_peak();

}  // namespace motley::kernels
