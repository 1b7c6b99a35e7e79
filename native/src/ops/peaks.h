// SPDX-License-Identifier: Apache-2.0
// What the machine reaches at most, to compare ops with. Takes about two seconds of all threads.
#pragma once

#include "libtorch/tensor.h"

namespace motley::ops {

struct Peaks {
  double multiply_add;  // FLOP/s on registers alone, of the units that multiply matrices of this type
  double product;       // FLOP/s of one large matrix product, by linear()
  double copy;          // bytes/s read and written, by a copy that no cache holds
};

Peaks measure_peaks(DType dtype);

}  // namespace motley::ops
