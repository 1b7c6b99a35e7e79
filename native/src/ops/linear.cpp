// SPDX-License-Identifier: Apache-2.0
#include "ops/linear.h"

#include <array>
#include <mutex>

#include "kernels/cpu/conv.h"
#include "kernels/cpu/scratch.h"
#include "kernels/cpu/winograd.h"
#include "ops/linear_path.h"
#include "ops/linear_torch.h"
#include "ops/profile.h"
#include "ops/tape.h"

namespace motley::ops {
namespace {

using kernels::ConvShape;
using kernels::Output;
using kernels::Right;
using kernels::Scratch;

Scratch winograd_weights(const Tensor& w) {
  Scratch u(kernels::kWinogradTaps * w.size(0) * w.size(3));
  kernels::winograd_weights(w.size(0), w.size(3), w.data<float>(), u.data());
  return u;
}

// What pack_frozen hangs on a weight: panels of it, made at first use, for the panel width in use then.
class Packed {
 public:
  const float* get(const Right& right) {
    std::lock_guard lock(mutex_);
    if (panels_.data() == nullptr) panels_ = packed(right);
    return panel_ == kernels::gemm_kernels().panel ? panels_.data() : nullptr;
  }

  /// The weight in f32, itself frozen.
  Tensor wide(const Tensor& w) {
    std::lock_guard lock(mutex_);
    if (!wide_.defined()) {
      wide_ = w.to(DType::f32);
      pack_frozen(wide_);
    }
    return wide_;
  }

  /// The weight as winograd_forward takes it.
  Right winograd(const Tensor& w) {
    std::lock_guard lock(mutex_);
    const int64_t outputs = w.size(0), channels = w.size(3);
    if (transformed_.data() == nullptr) {
      transformed_ = winograd_weights(w);
      panels_ = packed(kernels::winograd_right(transformed_.data(), outputs, channels));
    }
    Right right = kernels::winograd_right(transformed_.data(), outputs, channels);
    if (panel_ == kernels::gemm_kernels().panel) right.packed = panels_.data();
    return right;
  }

  /// The four phases of upsample_conv2d.
  std::array<Right, 4> phases(const Tensor& w) {
    std::lock_guard lock(mutex_);
    std::array<Right, 4> rights;
    const int64_t outputs = w.size(0), channels = w.size(3);
    if (phases_.data() == nullptr) {
      phases_ = Scratch(16 * outputs * channels);
      kernels::upsample_phases(w.data<float>(), outputs, channels, phases_.data());
      for (int i = 0; i < 4; ++i) phase_panels_[i] = packed(kernels::upsample_right(phases_.data(), i, outputs, channels));
    }
    for (int i = 0; i < 4; ++i) {
      rights[i] = kernels::upsample_right(phases_.data(), i, outputs, channels);
      if (panel_ == kernels::gemm_kernels().panel) rights[i].packed = phase_panels_[i].data();
    }
    return rights;
  }

 private:
  Scratch packed(const Right& right) {
    panel_ = kernels::gemm_kernels().panel;
    Scratch panels(kernels::packed_size(right));
    kernels::pack(right, panels.data());
    return panels;
  }

  std::mutex mutex_;
  int panel_ = 0;
  Tensor wide_;
  Scratch panels_, transformed_, phases_;
  std::array<Scratch, 4> phase_panels_;
};

Packed* packed_of(const Tensor& w) { return static_cast<Packed*>(w.attachment().get()); }

void directly(const ConvShape& s, const Tensor& x, const Tensor& w, const Output& out) {
  Right right = kernels::conv_right(s, w.data<float>());
  if (Packed* packed = packed_of(w)) right.packed = packed->get(right);
  kernels::conv_forward(s, x.data<float>(), right, out);
}

void by_winograd(const ConvShape& s, const Tensor& x, const Tensor& w, const Output& out) {
  if (Packed* packed = packed_of(w)) return kernels::winograd_forward(s, x.data<float>(), packed->winograd(w), out);
  const Scratch u = winograd_weights(w);
  kernels::winograd_forward(s, x.data<float>(), kernels::winograd_right(u.data(), s.outputs, s.channels), out);
}

Output output_of(const Tensor& y, const Epilogue& e, const Tensor& residual) {
  return {y.data<float>(), e.bias.defined() ? e.bias.data<float>() : nullptr,
          e.per_image.defined() ? e.per_image.data<float>() : nullptr,
          residual.defined() ? residual.data<float>() : nullptr, e.activation};
}

void check(const Epilogue& e, const Shape& result, int64_t images) {
  const int64_t outputs = result.back();
  ensure(!e.bias.defined() || e.bias.numel() == outputs, "bias of ", e.bias.defined() ? e.bias.numel() : 0, " for ", outputs, " outputs");
  ensure(!e.per_image.defined() || e.per_image.shape() == Shape{images, outputs}, "per-image term for a result of shape ", shown(result));
  ensure(!e.residual.defined() || e.residual.shape() == result, "residual for a result of shape ", shown(result));
}

bool plain(const Epilogue& e) { return !e.residual.defined() && !e.per_image.defined() && e.activation == Activation::none; }

ConvShape shape_of(const Tensor& x, const Tensor& w, const Conv2d& how) {
  ConvShape s{x.size(0), x.size(1), x.size(2), x.size(3), w.size(0), w.size(1), w.size(2), how.stride, how.top, how.left, 0, 0};
  s.out_height = (s.height + how.top + how.bottom - s.kernel_h) / s.stride + 1;
  s.out_width = (s.width + how.left + how.right - s.kernel_w) / s.stride + 1;
  ensure(s.out_height > 0 && s.out_width > 0, "conv2d of ", shown(x.shape()), " with ", shown(w.shape()), ": the kernel is larger than the image");
  return s;
}

Tensor as_f32(const Tensor& t) { return !t.defined() || t.dtype() == DType::f32 ? t : t.to(DType::f32); }

// Runs `compute(x, w, epilogue)` in f32 on tensors that are stored in another type.
template <typename Compute>
Tensor in_f32(const Tensor& x, const Tensor& w, const Epilogue& e, const Compute& compute) {
  const Tape::Pause pause;  // the caller records what is differentiable, on the tensors as they are stored
  Epilogue wide = e;
  wide.residual = as_f32(e.residual);
  Packed* packed = w.dtype() == DType::f32 ? nullptr : packed_of(w);
  return compute(as_f32(x), packed != nullptr ? packed->wide(w) : as_f32(w), wide).to(x.dtype());
}

// A gradient's place: the watched buffer if this is its first contribution, else a new tensor.
Tensor place_for(Tape& tape, const Tensor& t) {
  Tensor place = tape.destination(t);
  return place.defined() ? place : Tensor::empty(t.shape());
}

// x may be stored in another type than f32: its gradient is then made in f32 and stored in that type.
void record(const Tensor& y, const Tensor& x, const Tensor& w, const Tensor& bias, const ConvShape& s) {
  Tape* tape = Tape::current();
  if (tape == nullptr) return;
  ensure(w.dtype() == DType::f32 || !tape->wants(w), "a weight whose gradient is wanted must be f32");
  tape->record(y, {x, w, bias}, [=](Tape& t, const Tensor& dy) {
    const Tensor d = as_f32(dy);
    const int64_t work = d.numel() * w.numel() / w.size(0);
    if (t.wants(x)) {
      const Timed timed("input gradient", work);
      const Tensor sum = x.dtype() == DType::f32 ? t.so_far(x) : Tensor();
      const Tensor dx = sum ? sum : x.dtype() == DType::f32 ? place_for(t, x) : Tensor::empty(x.shape());
      kernels::conv_input_gradient(s, d.data<float>(), as_f32(w).data<float>(), dx.data<float>(), sum.defined());
      if (!sum) t.add(x, dx.to(x.dtype()));
    }
    if (t.wants(w)) {
      const Timed timed("weight gradient", work);
      Tensor dw = place_for(t, w);
      kernels::conv_weight_gradient(s, d.data<float>(), as_f32(x).data<float>(), dw.data<float>());
      t.add(w, dw);
    }
    if (t.wants(bias)) {
      Tensor db = place_for(t, bias);
      kernels::sum_rows(d.data<float>(), d.numel() / d.size(-1), d.size(-1), db.data<float>());
      t.add(bias, db);
    }
  });
}

// rows of one image: the choice must not depend on the batch, nor may its rounding.
Path path_of(const Tensor& x, int64_t rows, int64_t depth, int64_t columns) {
  if (Tape::current() != nullptr) return Path::own;
  return choose_path({rows, depth, columns, x.dtype()}, this_cpu());
}

}  // namespace

Tensor conv2d(const Tensor& x, const Tensor& w, const Conv2d& how, const Epilogue& epilogue) {
  ensure(x.dims() == 4 && w.dims() == 4 && x.size(3) == w.size(3), "conv2d of ", shown(x.shape()), " with ", shown(w.shape()));
  const ConvShape s = shape_of(x, w, how);
  const Shape result{s.images, s.out_height, s.out_width, s.outputs};
  check(epilogue, result, s.images);
  const int64_t taps = s.kernel_h * s.kernel_w;
  const Timed timed("conv2d", elements(result) * taps * s.channels);
  if (path_of(x, s.out_height * s.out_width, taps * s.channels, s.outputs) == Path::libtorch) return torch::conv2d(x, w, how, epilogue);
  if (x.dtype() != DType::f32) {
    const Tensor y = in_f32(x, w, epilogue, [&](const Tensor& a, const Tensor& b, const Epilogue& e) { return conv2d(a, b, how, e); });
    record(y, x, w, epilogue.bias, s);
    return y;
  }
  Tensor y = Tensor::empty(result);
  const Output out = output_of(y, epilogue, epilogue.residual);
  kernels::winograd_suits(s) ? by_winograd(s, x, w, out) : directly(s, x, w, out);
  ensure(Tape::current() == nullptr || plain(epilogue), "conv2d is differentiable with a bias only");
  record(y, x, w, epilogue.bias, s);
  return y;
}

Tensor upsample_conv2d(const Tensor& x, const Tensor& w, const Epilogue& epilogue) {
  ensure(x.dims() == 4 && w.dims() == 4 && w.size(1) == 3 && w.size(2) == 3 && x.size(3) == w.size(3), "upsample_conv2d of ", shown(x.shape()),
         " with ", shown(w.shape()));
  const int64_t n = x.size(0), h = x.size(1), width = x.size(2), c = x.size(3), outputs = w.size(0);
  const Shape result{n, 2 * h, 2 * width, outputs};
  check(epilogue, result, n);
  const Timed timed("upsample_conv2d", elements(result) * 4 * c);
  if (path_of(x, 4 * h * width, 4 * c, outputs) == Path::libtorch) return torch::upsample_conv2d(x, w, epilogue);
  if (x.dtype() != DType::f32) {
    return in_f32(x, w, epilogue, [&](const Tensor& a, const Tensor& b, const Epilogue& e) { return upsample_conv2d(a, b, e); });
  }
  ensure(Tape::current() == nullptr || !Tape::current()->wants(x), "upsample_conv2d is not differentiable");
  Tensor y = Tensor::empty(result);
  std::array<Right, 4> rights;
  Scratch phases;
  if (Packed* packed = packed_of(w)) {
    rights = packed->phases(w);
  } else {
    phases = Scratch(16 * outputs * c);
    kernels::upsample_phases(w.data<float>(), outputs, c, phases.data());
    for (int i = 0; i < 4; ++i) rights[i] = kernels::upsample_right(phases.data(), i, outputs, c);
  }
  kernels::upsample_conv_forward(n, h, width, x.data<float>(), rights.data(), output_of(y, epilogue, epilogue.residual));
  return y;
}

Tensor linear(const Tensor& x, const Tensor& w, const Epilogue& epilogue) {
  ensure(w.dims() == 2 && x.dims() >= 1 && x.size(-1) == w.size(1), "linear of ", shown(x.shape()), " with ", shown(w.shape()));
  Shape result = x.shape();
  result.back() = w.size(0);
  const int64_t rows = x.numel() / x.size(-1), images = x.dims() > 2 ? x.size(0) : 1;
  check(epilogue, result, images);
  const Timed timed("linear", elements(result) * w.size(1));
  if (path_of(x, rows / images, w.size(1), w.size(0)) == Path::libtorch) return torch::linear(x, w, epilogue);
  const ConvShape s{images, rows / images, 1, w.size(1), w.size(0), 1, 1, 1, 0, 0, rows / images, 1};
  if (x.dtype() != DType::f32) {
    const Tensor y = in_f32(x, w, epilogue, [&](const Tensor& a, const Tensor& b, const Epilogue& e) { return linear(a, b, e); });
    record(y, x, w, epilogue.bias, s);
    return y;
  }
  Tensor y = Tensor::empty(result);
  directly(s, x, w, output_of(y, epilogue, epilogue.residual));
  ensure(Tape::current() == nullptr || plain(epilogue), "linear is differentiable with a bias only");
  record(y, x, w, epilogue.bias, s);
  return y;
}

void pack_frozen(const Tensor& w) {
  if (packed_of(w) == nullptr) w.attachment() = std::make_shared<Packed>();
}

}  // namespace motley::ops
