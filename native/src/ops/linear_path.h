// SPDX-License-Identifier: Apache-2.0
// Who computes a matrix product or convolution: our kernels, or libtorch's operator. A pure choice by shape and CPU.
#pragma once

#include <cstdint>

#include "kernels/cpu/isa.h"
#include "libtorch/tensor.h"

namespace motley::ops {

enum class Path { own, libtorch };

struct Problem {
  int64_t rows;     // output pixels or rows of one image
  int64_t depth;    // kernel taps x input channels
  int64_t columns;  // output channels
  DType dtype;
};

struct Cpu {
  bool bf16_units;  // avx512_bf16 or AMX
};
Cpu this_cpu();

Path choose_path(const Problem& problem, const Cpu& cpu);

}  // namespace motley::ops
