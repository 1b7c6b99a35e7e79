// SPDX-License-Identifier: Apache-2.0
// A dense, row-major tensor in host memory. Activations are NHWC, convolution weights OHWI. Copies share
// the storage; `id` tells two tensors of the tape apart.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "libtorch/bf16.h"
#include "libtorch/error.h"

namespace motley {

enum class DType : int32_t { f32 = MOTLEY_F32, f16 = MOTLEY_F16, bf16 = MOTLEY_BF16, f64 = MOTLEY_F64, u8 = MOTLEY_U8, i64 = MOTLEY_I64 };

int64_t size_of(DType dtype);
const char* name_of(DType dtype);

template <typename T>
struct dtype_of;
template <>
struct dtype_of<float> {
  static constexpr DType value = DType::f32;
};
template <>
struct dtype_of<bf16> {
  static constexpr DType value = DType::bf16;
};
template <>
struct dtype_of<half> {
  static constexpr DType value = DType::f16;
};
template <>
struct dtype_of<double> {
  static constexpr DType value = DType::f64;
};
template <>
struct dtype_of<uint8_t> {
  static constexpr DType value = DType::u8;
};
template <>
struct dtype_of<int64_t> {
  static constexpr DType value = DType::i64;
};

/// body.operator()<T>() for the type T that activations of `dtype` have: float, bf16 or half.
template <typename Body>
decltype(auto) with_element(DType dtype, const Body& body) {
  switch (dtype) {
    case DType::bf16: return body.template operator()<bf16>();
    case DType::f16: return body.template operator()<half>();
    default: ensure(dtype == DType::f32, "activations of type ", name_of(dtype));
  }
  return body.template operator()<float>();
}

using Shape = std::vector<int64_t>;
/// A shape as messages show it, "(2, 3)": text only once it is printed, so that checks cost nothing that hold.
struct ShownShape {
  const Shape& shape;
};
std::ostream& operator<<(std::ostream& out, const ShownShape& shown);
inline ShownShape shown(const Shape& shape) { return {shape}; }
int64_t elements(const Shape& shape);

class Tensor {
 public:
  Tensor() = default;  // undefined

  static Tensor empty(Shape shape, DType dtype = DType::f32);
  static Tensor zeros(Shape shape, DType dtype = DType::f32);
  /// Copies `values` (as many as the shape has elements).
  static Tensor of(Shape shape, const float* values);
  /// A tensor over memory owned by `owner` (released when the last copy goes).
  static Tensor wrap(Shape shape, DType dtype, void* data, std::shared_ptr<void> owner);

  bool defined() const { return impl_ != nullptr; }
  explicit operator bool() const { return defined(); }
  const Shape& shape() const { return impl_->shape; }
  int64_t dims() const { return static_cast<int64_t>(impl_->shape.size()); }
  /// Size of dimension i; negative counts from the last.
  int64_t size(int64_t i) const { return impl_->shape[i < 0 ? i + dims() : i]; }
  int64_t numel() const { return impl_->numel; }
  DType dtype() const { return impl_->dtype; }
  int64_t bytes() const { return numel() * size_of(dtype()); }

  void* raw() const { return impl_->data; }
  /// Typed pointer; asking for another type than the tensor's is a bug and throws.
  template <typename T>
  T* data() const {
    ensure(dtype() == dtype_of<T>::value, "tensor of ", name_of(dtype()), " read as ", name_of(dtype_of<T>::value));
    return static_cast<T*>(impl_->data);
  }

  /// The same memory in another shape. A new identity: differentiable code uses ops::reshape.
  Tensor viewed(Shape shape) const;
  Tensor to(DType dtype) const;
  Tensor clone() const;

  /// Identity on the tape: equal for copies of one Tensor object, different for views.
  const void* id() const { return impl_.get(); }

 private:
  struct Impl {
    Shape shape;
    int64_t numel = 0;
    DType dtype = DType::f32;
    void* data = nullptr;
    std::shared_ptr<void> owner;
  };
  std::shared_ptr<const Impl> impl_;
};

}  // namespace motley
