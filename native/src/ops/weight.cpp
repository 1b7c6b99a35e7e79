// SPDX-License-Identifier: Apache-2.0
#include "ops/weight.h"

#include <array>
#include <mutex>
#include <utility>

#include "kernels/cpu/conv.h"
#include "kernels/cpu/pairs.h"
#include "kernels/cpu/winograd.h"

namespace motley::ops {
namespace {

using kernels::Elements;
using kernels::Panels;
using kernels::Scratch;

// Floats of a derived form that is kept. Larger ones would take more memory than the weights of Stable Diffusion themselves, and
// making them anew is little beside multiplying by them.
constexpr int64_t kKept = 1 << 20;

// A derived form of the weights, for the panel width in use when it was made.
struct Derived {
  int width = 0;
  Scratch data;
};

int64_t outputs_of(const Shape& shape) { return shape[0]; }
int64_t taps_of(const Shape& shape) { return shape.size() == 4 ? shape[1] * shape[2] : 1; }
int64_t channels_of(const Shape& shape) { return shape.back(); }

Panels::Type type_of(DType dtype) {
  switch (dtype) {
    case DType::f32: return Panels::Type::f32;
    case DType::bf16: return Panels::Type::bf16;
    case DType::f16: return Panels::Type::f16;
    default: throw Error(MOTLEY_INTERNAL, concat("weights are held as f32, bf16 or f16, not ", name_of(dtype)));
  }
}

template <typename T>
Elements<T> elements_of(const void* data, int64_t outputs, int64_t taps, int64_t channels, bool channels_last) {
  return {static_cast<const T*>(data), taps, channels, outputs, channels_last ? channels : 1, channels_last ? 1 : taps, taps * channels};
}

void fill(Panels& panels, int64_t first, int64_t outputs, int64_t taps, int64_t channels, DType dtype, const void* data,
          bool channels_last) {
  switch (dtype) {
    case DType::f32: return panels.fill(first, elements_of<float>(data, outputs, taps, channels, channels_last));
    case DType::f16: return panels.fill(first, elements_of<half>(data, outputs, taps, channels, channels_last));
    case DType::bf16: return panels.fill(first, elements_of<bf16>(data, outputs, taps, channels, channels_last));
    case DType::f64: return panels.fill(first, elements_of<double>(data, outputs, taps, channels, channels_last));
    default: ensure(false, "a weight of type ", name_of(dtype));
  }
}

}  // namespace

struct Weight::Impl {
  Shape shape;
  DType dtype;
  Panels panels;
  std::mutex mutex;
  Derived winograd, upsample;
  std::array<Panels, 4> upsample_pairs;

  template <typename Make>
  const float* derived(Derived& form, int64_t floats, const Make& make) {
    if (floats > kKept) return nullptr;
    std::lock_guard lock(mutex);
    const int width = kernels::gemm_kernels().panel;
    if (form.width == 0) {
      form.data = Scratch(floats);
      make(form.data.data());
      form.width = width;
    }
    return form.width == width ? form.data.data() : nullptr;
  }
};

Weight::Weight(Shape shape, DType dtype) : impl_(std::make_shared<Impl>()) {
  ensure(shape.size() == 2 || shape.size() == 4, "a weight of shape ", shown(shape));
  impl_->panels = Panels(type_of(dtype), taps_of(shape) * channels_of(shape), outputs_of(shape));
  impl_->shape = std::move(shape);
  impl_->dtype = dtype;
}

Weight::Weight(const Tensor& w) : Weight(w.shape(), w.dtype()) {
  ops::fill(impl_->panels, 0, outputs_of(w.shape()), taps_of(w.shape()), channels_of(w.shape()), w.dtype(), w.raw(), true);
}

void Weight::fill(int64_t first, int64_t count, DType dtype, const void* data) {
  ops::fill(impl_->panels, first, count, taps_of(shape()), channels_of(shape()), dtype, data, false);
}

const Shape& Weight::shape() const { return impl_->shape; }
DType Weight::dtype() const { return impl_->dtype; }
const Panels& Weight::panels() const { return impl_->panels; }

bool Weight::keeps_winograd() const { return kernels::winograd_size(outputs_of(shape()), channels_of(shape())) <= kKept; }

const float* Weight::winograd() const {
  const int64_t outputs = outputs_of(shape()), panels = kernels::up(outputs, kernels::gemm_kernels().panel);
  return impl_->derived(impl_->winograd, kernels::winograd_size(outputs, channels_of(shape())),
                        [&](float* to) { kernels::winograd_weights(this->panels(), 0, panels, to); });
}

const float* Weight::upsample() const {
  return impl_->derived(impl_->upsample, kernels::upsample_size(outputs_of(shape()), channels_of(shape())),
                        [&](float* to) { kernels::upsample_weights(panels(), to); });
}

const Panels* Weight::upsample_pairs() const {
  std::lock_guard lock(impl_->mutex);
  if (impl_->upsample_pairs[0].columns() == 0) {
    decltype(impl_->upsample_pairs) made;  // all four or none, should memory run out
    kernels::pair_upsample_weights(panels(), made.data());
    impl_->upsample_pairs = std::move(made);
  }
  return impl_->upsample_pairs.data();
}

}  // namespace motley::ops
