// SPDX-License-Identifier: Apache-2.0
#include "ops/linear.h"

#include <cmath>
#include <cstring>

#include "libtorch/call.h"
#include "libtorch/convert.h"
#include "libtorch/parallel.h"
#include "ops/tape.h"

namespace motley::ops {
namespace {

using libtorch::Call;
using libtorch::View;

float activate(float x, Activation activation) {
  switch (activation) {
    case Activation::none: return x;
    case Activation::silu: return x / (1.0f + std::exp(-x));
    case Activation::relu: return x > 0 ? x : 0.0f;
    case Activation::gelu: return 0.5f * x * (1.0f + std::erf(x * 0.70710678f));
    case Activation::quick_gelu: return x / (1.0f + std::exp(-1.702f * x));
  }
  return x;
}

// y (images, pixels, channels), in place
void finish(Tensor& y, int64_t images, const Epilogue& e) {
  if (!e.per_image.defined() && !e.residual.defined() && e.activation == Activation::none) return;
  const int64_t channels = y.size(-1), pixels = y.numel() / channels / images;
  float* out = y.data<float>();
  const float* add = e.per_image.defined() ? e.per_image.data<float>() : nullptr;
  const float* residual = e.residual.defined() ? e.residual.data<float>() : nullptr;
  parallel_for(images * pixels, 64, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      for (int64_t c = 0; c < channels; ++c) {
        float v = out[row * channels + c];
        if (add) v += add[row / pixels * channels + c];
        if (residual) v += residual[row * channels + c];
        out[row * channels + c] = activate(v, e.activation);
      }
    }
  });
}

Tensor padded(const Tensor& x, const Conv2d& how) {
  const int64_t n = x.size(0), h = x.size(1), w = x.size(2), c = x.size(3);
  Tensor out = Tensor::zeros({n, h + how.top + how.bottom, w + how.left + how.right, c}, x.dtype());
  const int64_t row = w * c * size_of(x.dtype()), out_row = out.size(2) * c * size_of(x.dtype());
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t y = 0; y < h; ++y) {
      std::memcpy(static_cast<char*>(out.raw()) + (i * out.size(1) + y + how.top) * out_row + how.left * c * size_of(x.dtype()),
                  static_cast<const char*>(x.raw()) + (i * h + y) * row, static_cast<size_t>(row));
    }
  }
  return out;
}

}  // namespace

Tensor conv2d(const Tensor& x, const Tensor& w, const Conv2d& how, const Epilogue& epilogue) {
  ensure(x.dims() == 4 && w.dims() == 4 && x.size(3) == w.size(3), "conv2d of ", to_string(x.shape()), " with ", to_string(w.shape()));
  const bool symmetric = how.top == how.bottom && how.left == how.right;
  const Tensor input = symmetric ? x : padded(x, how);
  const int64_t ph = symmetric ? how.top : 0, pw = symmetric ? how.left : 0, stride = how.stride;
  Tensor y = Call("aten::convolution").tensor(input, View::channels_last).tensor(w, View::channels_last).optional(epilogue.bias)
                 .integers({stride, stride}).integers({ph, pw}).integers({1, 1}).boolean(false).integers({0, 0}).integer(1)
                 .run(1, View::channels_last)[0];
  if (Tape* tape = Tape::current()) {
    ensure(symmetric && !epilogue.residual && !epilogue.per_image && epilogue.activation == Activation::none, "conv2d is differentiable with symmetric padding and a bias only");
    const Tensor bias = epilogue.bias;
    tape->record(y, {x, w, bias}, [=](Tape& t, const Tensor& dy) {
      Call call("aten::convolution_backward");
      call.tensor(dy, View::channels_last).tensor(x, View::channels_last).tensor(w, View::channels_last);
      bias.defined() ? call.some_integers({w.size(0)}) : call.none();
      auto g = call.integers({stride, stride}).integers({ph, pw}).integers({1, 1}).boolean(false).integers({0, 0}).integer(1)
                   .booleans({t.wants(x), t.wants(w), t.wants(bias)}).run(2, View::channels_last);
      t.add(x, g[0]);
      t.add(w, g[1]);
    });
  }
  finish(y, x.size(0), epilogue);
  return y;
}

Tensor upsample_conv2d(const Tensor& x, const Tensor& w, const Epilogue& epilogue) {
  const int64_t n = x.size(0), h = x.size(1), width = x.size(2), c = x.size(3), bytes = c * size_of(x.dtype());
  Tensor big = Tensor::empty({n, 2 * h, 2 * width, c}, x.dtype());
  for (int64_t i = 0; i < n * 2 * h * 2 * width; ++i) {
    const int64_t col = i % (2 * width) / 2, row = i / (2 * width) % (2 * h) / 2, image = i / (4 * h * width);
    std::memcpy(static_cast<char*>(big.raw()) + i * bytes, static_cast<const char*>(x.raw()) + ((image * h + row) * width + col) * bytes, static_cast<size_t>(bytes));
  }
  return conv2d(big, w, Conv2d::same(3), epilogue);
}

Tensor linear(const Tensor& x, const Tensor& w, const Epilogue& epilogue) {
  ensure(w.dims() == 2 && x.size(-1) == w.size(1), "linear of ", to_string(x.shape()), " with ", to_string(w.shape()));
  Tensor y = Call("aten::linear").tensor(x).tensor(w).optional(epilogue.bias).run(1)[0];
  finish(y, x.dims() > 2 ? x.size(0) : 1, epilogue);
  return y;
}

void pack_frozen(const Tensor&) {}

}  // namespace motley::ops
