// SPDX-License-Identifier: Apache-2.0
#include "libtorch/tensor.h"

#include <cstring>

#include "libtorch/convert.h"
#include "libtorch/memory.h"

namespace motley {

int64_t size_of(DType dtype) {
  switch (dtype) {
    case DType::f32: return 4;
    case DType::f16:
    case DType::bf16: return 2;
    case DType::f64:
    case DType::i64: return 8;
    case DType::u8: return 1;
  }
  throw Error(MOTLEY_INVALID_ARGUMENT, concat("unknown element type ", static_cast<int>(dtype)));
}

const char* name_of(DType dtype) {
  switch (dtype) {
    case DType::f32: return "F32";
    case DType::f16: return "F16";
    case DType::bf16: return "BF16";
    case DType::f64: return "F64";
    case DType::u8: return "U8";
    case DType::i64: return "I64";
  }
  return "unknown";
}

std::ostream& operator<<(std::ostream& out, const ShownShape& shown) {
  out << "(";
  for (size_t i = 0; i < shown.shape.size(); ++i) out << (i ? ", " : "") << shown.shape[i];
  return out << ")";
}

namespace {
constexpr int64_t kMostElements = int64_t{1} << 48;  // times any element's size, this still fits 64 bits
}

int64_t elements(const Shape& shape) {
  int64_t n = 1;
  for (int64_t size : shape) {
    require(!__builtin_mul_overflow(n, size, &n) && n <= kMostElements, "shape ", shown(shape), " is too large");
  }
  return n;
}

Tensor Tensor::empty(Shape shape, DType dtype) {
  for (int64_t size : shape) ensure(size >= 0, "negative size in shape ", shown(shape));
  const size_t bytes = static_cast<size_t>(elements(shape) * size_of(dtype));
  std::shared_ptr<void> owner(memory::allocate(bytes), [bytes](void* block) { memory::release(block, bytes); });
  void* data = owner.get();
  return wrap(std::move(shape), dtype, data, std::move(owner));
}

Tensor Tensor::zeros(Shape shape, DType dtype) {
  Tensor t = empty(std::move(shape), dtype);
  std::memset(t.raw(), 0, static_cast<size_t>(t.bytes()));
  return t;
}

Tensor Tensor::of(Shape shape, const float* values) {
  Tensor t = empty(std::move(shape));
  std::memcpy(t.raw(), values, static_cast<size_t>(t.bytes()));
  return t;
}

Tensor Tensor::wrap(Shape shape, DType dtype, void* data, std::shared_ptr<void> owner) {
  auto impl = std::make_shared<Impl>();
  impl->numel = elements(shape);
  impl->shape = std::move(shape);
  impl->dtype = dtype;
  impl->data = data;
  impl->owner = std::move(owner);
  Tensor t;
  t.impl_ = std::move(impl);
  return t;
}

Tensor Tensor::viewed(Shape shape) const {
  ensure(elements(shape) == numel(), "cannot view ", shown(this->shape()), " as ", shown(shape));
  return wrap(std::move(shape), dtype(), impl_->data, impl_->owner);
}

Tensor Tensor::to(DType dtype) const {
  if (dtype == this->dtype()) return *this;
  Tensor out = empty(shape(), dtype);
  convert(this->dtype(), raw(), dtype, out.raw(), numel());
  return out;
}

Tensor Tensor::clone() const {
  Tensor out = empty(shape(), dtype());
  std::memcpy(out.raw(), raw(), static_cast<size_t>(bytes()));
  return out;
}

}  // namespace motley
