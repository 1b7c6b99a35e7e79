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

// u of winograd_right
Scratch winograd_weights(const Tensor& w) {
  Scratch u(kernels::kWinogradTaps * w.size(0) * w.size(3));
  kernels::winograd_weights(w.size(0), w.size(3), w.data<float>(), u.data());
  return u;
}

// phases of upsample_right
Scratch phase_weights(const Tensor& w) {
  Scratch phases(16 * w.size(0) * w.size(3));
  kernels::upsample_phases(w.data<float>(), w.size(0), w.size(3), phases.data());
  return phases;
}

// A right matrix's panels, kept for the panel width in use when they were made.
struct Panels {
  int width = 0;
  Scratch data;

  void make(const Right& right) {
    width = kernels::gemm_kernels().panel;
    data = Scratch(kernels::packed_size(right));
    kernels::pack(right, data.data());
  }
  /// Null for another width (another instruction set): the caller then packs on the way.
  const float* get() const { return width == kernels::gemm_kernels().panel ? data.data() : nullptr; }
};

// What pack_frozen hangs on a weight: its panels, made at first use. Each way of computing has its own, for the size of the
// image may change the way.
class Packed {
 public:
  const float* direct(const Right& right) {
    std::lock_guard lock(mutex_);
    if (direct_.width == 0) direct_.make(right);
    return direct_.get();
  }

  const float* winograd(const Tensor& w) {
    std::lock_guard lock(mutex_);
    if (winograd_.width == 0) winograd_.make(kernels::winograd_right(winograd_weights(w).data(), w.size(0), w.size(3)));
    return winograd_.get();
  }

  /// Of the four phases of upsample_conv2d.
  std::array<const float*, 4> phases(const Tensor& w) {
    std::lock_guard lock(mutex_);
    if (phases_[0].width == 0) {
      const Scratch phases = phase_weights(w);
      for (int i = 0; i < 4; ++i) phases_[i].make(kernels::upsample_right(phases.data(), i, w.size(0), w.size(3)));
    }
    return {phases_[0].get(), phases_[1].get(), phases_[2].get(), phases_[3].get()};
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

 private:
  std::mutex mutex_;
  Panels direct_, winograd_;
  std::array<Panels, 4> phases_;
  Tensor wide_;
};

Packed* packed_of(const Tensor& w) { return static_cast<Packed*>(w.attachment().get()); }

void directly(const ConvShape& s, const Tensor& x, const Tensor& w, const Output& out) {
  Right right = kernels::conv_right(s, w.data<float>());
  if (Packed* packed = packed_of(w)) right.packed = packed->direct(right);
  kernels::conv_forward(s, x.data<float>(), right, out);
}

void by_winograd(const ConvShape& s, const Tensor& x, const Tensor& w, const Output& out) {
  Right right = kernels::winograd_right(nullptr, s.outputs, s.channels);
  if (Packed* packed = packed_of(w)) right.packed = packed->winograd(w);
  Scratch u;
  if (right.packed == nullptr) {
    u = winograd_weights(w);
    right.data = u.data();
  }
  kernels::winograd_forward(s, x.data<float>(), right, out);
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
  ensure(Tape::current() == nullptr || plain(epilogue), "conv2d is differentiable with a bias only");
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
  record(y, x, w, epilogue.bias, s);
  return y;
}

Tensor upsample_conv2d(const Tensor& x, const Tensor& w, const Epilogue& epilogue) {
  ensure(x.dims() == 4 && w.dims() == 4 && w.size(1) == 3 && w.size(2) == 3 && x.size(3) == w.size(3), "upsample_conv2d of ", shown(x.shape()),
         " with ", shown(w.shape()));
  const int64_t n = x.size(0), h = x.size(1), width = x.size(2), c = x.size(3), outputs = w.size(0);
  const Shape result{n, 2 * h, 2 * width, outputs};
  check(epilogue, result, n);
  ensure(Tape::current() == nullptr || !Tape::current()->wants(x), "upsample_conv2d is not differentiable");
  const Timed timed("upsample_conv2d", elements(result) * 4 * c);
  if (path_of(x, 4 * h * width, 4 * c, outputs) == Path::libtorch) return torch::upsample_conv2d(x, w, epilogue);
  if (x.dtype() != DType::f32) {
    return in_f32(x, w, epilogue, [&](const Tensor& a, const Tensor& b, const Epilogue& e) { return upsample_conv2d(a, b, e); });
  }
  Tensor y = Tensor::empty(result);
  std::array<Right, 4> rights;
  rights.fill(kernels::upsample_right(nullptr, 0, outputs, c));
  if (Packed* packed = packed_of(w)) {
    const auto panels = packed->phases(w);
    for (int i = 0; i < 4; ++i) rights[i].packed = panels[i];
  }
  Scratch phases;
  if (rights[0].packed == nullptr) {
    phases = phase_weights(w);
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
  ensure(Tape::current() == nullptr || plain(epilogue), "linear is differentiable with a bias only");
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
  record(y, x, w, epilogue.bias, s);
  return y;
}

void pack_frozen(const Tensor& w) {
  if (packed_of(w) == nullptr) w.attachment() = std::make_shared<Packed>();
}

}  // namespace motley::ops
