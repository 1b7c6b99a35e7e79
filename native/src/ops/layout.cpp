// SPDX-License-Identifier: Apache-2.0
#include "ops/layout.h"

#include <algorithm>
#include <cstring>

#include "libtorch/convert.h"
#include "libtorch/parallel.h"
#include "ops/work.h"

namespace motley::ops {
namespace {

template <typename T>
void pack(const float* from, T* to, int64_t pixels, int64_t channels) {
  for (int64_t p = 0; p < pixels; ++p) {
    for (int64_t c = 0; c < channels; ++c) to[p * channels + c] = from_float<T>(from[c * pixels + p]);
  }
}

template <typename T>
void unpack(const T* from, float* to, int64_t pixels, int64_t channels) {
  for (int64_t p = 0; p < pixels; ++p) {
    for (int64_t c = 0; c < channels; ++c) to[c * pixels + p] = to_float(from[p * channels + c]);
  }
}

}  // namespace

Tensor from_nchw(const float* values, int64_t n, int64_t c, int64_t h, int64_t w, DType dtype) {
  Tensor x = Tensor::empty({n, h, w, c}, dtype);
  const int64_t size = c * h * w;
  parallel_for(n, std::max<int64_t>(1, (1 << 14) / size), [&](int64_t begin, int64_t end) {
    with_element(dtype, [&]<typename T>() {
      for (int64_t i = begin; i < end; ++i) pack(values + i * size, x.data<T>() + i * size, h * w, c);
    });
  });
  return x;
}

void to_nchw(const Tensor& x, float* values) {
  const int64_t c = x.size(3), pixels = x.size(1) * x.size(2), size = c * pixels;
  parallel_for(x.size(0), std::max<int64_t>(1, (1 << 14) / size), [&](int64_t begin, int64_t end) {
    with_element(x.dtype(), [&]<typename T>() {
      for (int64_t i = begin; i < end; ++i) unpack(x.data<T>() + i * size, values + i * size, pixels, c);
    });
  });
}

Tensor concat_channels(const Tensor& a, const Tensor& b) {
  ensure(a.dims() == 4 && b.dims() == 4 && a.size(0) == b.size(0) && a.size(1) == b.size(1) && a.size(2) == b.size(2) &&
             a.dtype() == b.dtype(),
         "concat_channels of ", shown(a.shape()), " and ", shown(b.shape()));
  Tensor y = Tensor::empty({a.size(0), a.size(1), a.size(2), a.size(3) + b.size(3)}, a.dtype());
  const Timed timed("concat_channels", [&] { return passing_work(y, {&a, &b, &y}); });
  const size_t left = static_cast<size_t>(a.size(3) * size_of(a.dtype())), right = static_cast<size_t>(b.size(3) * size_of(a.dtype()));
  const char *from_a = static_cast<const char*>(a.raw()), *from_b = static_cast<const char*>(b.raw());
  char* to = static_cast<char*>(y.raw());
  parallel_for(y.numel() / y.size(3), 128, [&](int64_t begin, int64_t end) {
    for (size_t p = static_cast<size_t>(begin); p < static_cast<size_t>(end); ++p) {
      std::memcpy(to + p * (left + right), from_a + p * left, left);
      std::memcpy(to + p * (left + right) + left, from_b + p * right, right);
    }
  });
  return y;
}

Tensor doubled(const Tensor& x, int64_t height, int64_t width) {
  const int64_t n = x.size(0), bytes = x.size(3) * size_of(x.dtype());
  ensure((height + 1) / 2 == x.size(1) && (width + 1) / 2 == x.size(2), "doubling ", shown(x.shape()), " to ", height, " x ", width);
  Tensor y = Tensor::empty({n, height, width, x.size(3)}, x.dtype());
  const Timed timed("doubled", [&] { return passing_work(y, {&x, &y}); });
  parallel_for(n * height, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const char* from = static_cast<const char*>(x.raw()) + (row / height * x.size(1) + row % height / 2) * x.size(2) * bytes;
      char* to = static_cast<char*>(y.raw()) + row * width * bytes;
      for (int64_t column = 0; column < width; ++column)
        std::memcpy(to + column * bytes, from + column / 2 * bytes, static_cast<size_t>(bytes));
    }
  });
  return y;
}

Tensor slice(const Tensor& x, int64_t first, int64_t count) {
  ensure(first >= 0 && count >= 0 && first + count <= x.size(0), "slice beyond ", shown(x.shape()));
  Shape shape = x.shape();
  const int64_t row = x.size(0) == 0 ? 0 : x.numel() / x.size(0);
  shape[0] = count;
  return Tensor::wrap(std::move(shape), x.dtype(), static_cast<char*>(x.raw()) + first * row * size_of(x.dtype()),
                      std::make_shared<Tensor>(x));
}

}  // namespace motley::ops
