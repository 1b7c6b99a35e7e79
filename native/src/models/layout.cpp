// SPDX-License-Identifier: Apache-2.0
#include "models/layout.h"

#include <cstring>

#include "libtorch/parallel.h"

namespace motley {
namespace {

// n matrices (rows, columns) -> (columns, rows)
void transpose(int64_t n, int64_t rows, int64_t columns, const float* in, float* out) {
  parallel_for(n, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const float* from = in + i * rows * columns;
      float* to = out + i * rows * columns;
      for (int64_t r = 0; r < rows; ++r) {
        for (int64_t c = 0; c < columns; ++c) to[c * rows + r] = from[r * columns + c];
      }
    }
  });
}

}  // namespace

void to_channels_last(const Shape& shape, const float* in, float* out) {
  if (shape.size() == 4) {
    transpose(shape[0], shape[1], shape[2] * shape[3], in, out);
  } else {
    std::memcpy(out, in, static_cast<size_t>(elements(shape)) * sizeof(float));
  }
}

void to_channels_first(const Shape& shape, const float* in, float* out) {
  if (shape.size() == 4) {
    transpose(shape[0], shape[2] * shape[3], shape[1], in, out);
  } else {
    std::memcpy(out, in, static_cast<size_t>(elements(shape)) * sizeof(float));
  }
}

Shape channels_last_shape(const Shape& shape) { return shape.size() == 4 ? Shape{shape[0], shape[2], shape[3], shape[1]} : shape; }

}  // namespace motley
