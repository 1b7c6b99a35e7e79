// SPDX-License-Identifier: Apache-2.0
#include "support/torch_ops.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "libtorch/call.h"
#include "libtorch/convert.h"
#include "libtorch/parallel.h"

namespace motley::test::torch {
namespace {

using libtorch::Call;
using libtorch::View;
using ops::Activation;

float activate(float x, Activation activation) {
  switch (activation) {
    case Activation::none: return x;
    case Activation::silu: return x / (1.0f + std::exp(-x));
    case Activation::relu: return x < 0 ? 0.0f : x;  // a NaN stays one
    case Activation::gelu: return 0.5f * x * (1.0f + std::erf(x * 0.70710678f));
    case Activation::quick_gelu: return x / (1.0f + std::exp(-1.702f * x));
    case Activation::hard_swish: return x * std::min(std::max(x + 3.0f, 0.0f), 6.0f) / 6.0f;
  }
  return x;
}

// y (images, pixels, channels), in place; the bias too, unless libtorch added it
template <typename T>
void finish(Tensor& y, int64_t images, const Epilogue& e, bool add_bias) {
  const int64_t channels = y.size(-1), pixels = y.numel() / channels / images;
  T* out = y.data<T>();
  const float* bias = add_bias && e.bias.defined() ? e.bias.data<float>() : nullptr;
  const float* add = e.per_image.defined() ? e.per_image.data<float>() : nullptr;
  const T* residual = e.residual.defined() ? e.residual.data<T>() : nullptr;
  parallel_for(images * pixels, 64, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      for (int64_t c = 0; c < channels; ++c) {
        float v = to_float(out[row * channels + c]);
        if (bias) v += bias[c];
        if (add) v += add[row / pixels * channels + c];
        if (residual) v += to_float(residual[row * channels + c]);
        out[row * channels + c] = from_float<T>(activate(v, e.activation));
      }
    }
  });
}

Tensor finished(Tensor y, int64_t images, const Epilogue& e) {
  const bool f32 = y.dtype() == DType::f32;  // ATen wants the bias in the input's type: ours is f32
  if (!e.per_image.defined() && !e.residual.defined() && e.activation == Activation::none && (f32 || !e.bias.defined())) return y;
  f32 ? finish<float>(y, images, e, false) : finish<bf16>(y, images, e, true);
  return y;
}

Tensor bias_for(const Tensor& x, const Epilogue& e) { return x.dtype() == DType::f32 ? e.bias : Tensor(); }
Tensor as_type_of(const Tensor& x, const Tensor& w) { return w.dtype() == x.dtype() ? w : w.to(x.dtype()); }

Tensor padded(const Tensor& x, const Conv2d& how) {
  const int64_t n = x.size(0), h = x.size(1), w = x.size(2), pixel = x.size(3) * size_of(x.dtype());
  Tensor out = Tensor::zeros({n, h + how.top + how.bottom, w + how.left + how.right, x.size(3)}, x.dtype());
  const int64_t row = w * pixel, out_row = out.size(2) * pixel;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t y = 0; y < h; ++y) {
      std::memcpy(static_cast<char*>(out.raw()) + (i * out.size(1) + y + how.top) * out_row + how.left * pixel,
                  static_cast<const char*>(x.raw()) + (i * h + y) * row, static_cast<size_t>(row));
    }
  }
  return out;
}

}  // namespace

Tensor conv2d(const Tensor& x, const Tensor& w, const Conv2d& how, const Epilogue& epilogue) {
  const bool symmetric = how.top == how.bottom && how.left == how.right;
  const Tensor input = symmetric ? x : padded(x, how);
  const int64_t ph = symmetric ? how.top : 0, pw = symmetric ? how.left : 0, stride = how.stride;
  Tensor y = Call("aten::convolution")
                 .tensor(input, View::channels_last)
                 .tensor(as_type_of(x, w), View::channels_last)
                 .optional(bias_for(x, epilogue))
                 .integers({stride, stride})
                 .integers({ph, pw})
                 .integers({1, 1})
                 .boolean(false)
                 .integers({0, 0})
                 .integer(1)
                 .run(1, View::channels_last)[0];
  return finished(std::move(y), x.size(0), epilogue);
}

Tensor upsample_conv2d(const Tensor& x, const Tensor& w, const Epilogue& epilogue) {
  const int64_t n = x.size(0), h = x.size(1), width = x.size(2), c = x.size(3), bytes = c * size_of(x.dtype());
  Tensor big = Tensor::empty({n, 2 * h, 2 * width, c}, x.dtype());
  parallel_for(n * 2 * h, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const char* from = static_cast<const char*>(x.raw()) + (row / (2 * h) * h + row % (2 * h) / 2) * width * bytes;
      char* to = static_cast<char*>(big.raw()) + row * 2 * width * bytes;
      for (int64_t col = 0; col < 2 * width; ++col) std::memcpy(to + col * bytes, from + col / 2 * bytes, static_cast<size_t>(bytes));
    }
  });
  return torch::conv2d(big, w, Conv2d::same(3), epilogue);
}

Tensor linear(const Tensor& x, const Tensor& w, const Epilogue& epilogue) {
  Tensor y = Call("aten::linear").tensor(x).tensor(as_type_of(x, w)).optional(bias_for(x, epilogue)).run(1)[0];
  return finished(std::move(y), x.dims() > 2 ? x.size(0) : 1, epilogue);
}

}  // namespace motley::test::torch
