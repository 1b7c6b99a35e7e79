// SPDX-License-Identifier: Apache-2.0
#include "libtorch/call.h"

#include <array>
#include <bit>
#include <cstring>

namespace motley::libtorch {
namespace {

constexpr uint64_t kAbiVersion = (uint64_t{2} << 56) | (uint64_t{10} << 48);

int32_t torch_dtype(DType dtype) {
  const Symbols& s = symbols();
  switch (dtype) {
    case DType::f32: return s.aoti_torch_dtype_float32();
    case DType::f16: return s.aoti_torch_dtype_float16();
    case DType::bf16: return s.aoti_torch_dtype_bfloat16();
    case DType::f64: return s.aoti_torch_dtype_float64();
    case DType::u8: return s.aoti_torch_dtype_uint8();
    case DType::i64: return s.aoti_torch_dtype_int64();
  }
  throw Error(MOTLEY_INTERNAL, "unknown element type");
}

DType from_torch(int32_t dtype) {
  for (DType d : {DType::f32, DType::f16, DType::bf16, DType::f64, DType::u8, DType::i64}) {
    if (torch_dtype(d) == dtype) return d;
  }
  throw Error(MOTLEY_INTERNAL, concat("libtorch returned a tensor of unknown type ", dtype));
}

struct Layout {
  std::vector<int64_t> sizes, strides;
};

Layout layout_of(const Shape& shape, View view) {
  Layout l{shape, Shape(shape.size(), 1)};
  for (size_t i = shape.size(); i-- > 1;) l.strides[i - 1] = l.strides[i] * shape[i];
  if (view == View::channels_last) {
    ensure(shape.size() == 4, "channels-last view of shape ", shown(shape));
    l.sizes = {shape[0], shape[3], shape[1], shape[2]};
    l.strides = {l.strides[0], l.strides[3], l.strides[1], l.strides[2]};
  }
  return l;
}

TensorHandle borrow(const Tensor& t, View view) {
  const Symbols& s = symbols();
  const Layout l = layout_of(t.shape(), view);
  TensorHandle handle = nullptr;
  const Status status = s.aoti_torch_create_tensor_from_blob_v2(t.raw(), static_cast<int64_t>(l.sizes.size()), l.sizes.data(),
                                                                l.strides.data(), 0, torch_dtype(t.dtype()), s.aoti_torch_device_type_cpu(),
                                                                0, &handle, s.aoti_torch_layout_strided(), nullptr, 0);
  ensure(status == 0, "libtorch could not wrap a tensor of shape ", shown(t.shape()));
  return handle;
}

uint64_t as_slot(TensorHandle handle) { return reinterpret_cast<uint64_t>(handle); }

uint64_t heap_slot(uint64_t value) { return reinterpret_cast<uint64_t>(new uint64_t(value)); }  // freed by the callee

void check(Status status, const char* what) { ensure(status == 0, "libtorch could not ", what, "; its own message is on stderr"); }

template <typename T>
uint64_t list_slot(std::initializer_list<T> values) {
  const Symbols& s = symbols();
  ListHandle list = nullptr;
  check(s.torch_new_list_reserve_size(values.size(), &list), "make a list");
  for (T v : values) check(s.torch_list_push_back(list, static_cast<uint64_t>(v)), "fill a list");
  return reinterpret_cast<uint64_t>(list);
}

// Copies a strided float tensor into row-major order of `sizes` permuted by `view`.
Tensor densify(const Shape& shape, DType dtype, const char* data, const std::vector<int64_t>& strides) {
  Tensor out = Tensor::empty(shape, dtype);
  const int64_t width = size_of(dtype);
  std::vector<int64_t> index(shape.size(), 0);
  auto* to = static_cast<char*>(out.raw());
  for (int64_t i = 0; i < out.numel(); ++i) {
    int64_t offset = 0;
    for (size_t d = 0; d < shape.size(); ++d) offset += index[d] * strides[d];
    std::memcpy(to + i * width, data + offset * width, static_cast<size_t>(width));
    for (size_t d = shape.size(); d-- > 0;) {
      if (++index[d] < shape[d]) break;
      index[d] = 0;
    }
  }
  return out;
}

std::shared_ptr<void> owned(TensorHandle handle) {
  return {handle, [](void* h) { symbols().aoti_torch_delete_tensor_object(static_cast<TensorHandle>(h)); }};
}

Tensor adopt(std::shared_ptr<void> owner, View view) {
  const Symbols& s = symbols();
  const auto handle = static_cast<TensorHandle>(owner.get());
  bool defined = false;
  check(s.aoti_torch_is_defined(handle, &defined), "read a result");
  if (!defined) return {};
  void* data = nullptr;
  int64_t dims = 0, *sizes = nullptr, *strides = nullptr;
  int32_t dtype = 0;
  check(s.aoti_torch_get_data_ptr(handle, &data), "read a result");
  check(s.aoti_torch_get_dim(handle, &dims), "read a result");
  check(s.aoti_torch_get_sizes(handle, &sizes), "read a result");
  check(s.aoti_torch_get_strides(handle, &strides), "read a result");
  check(s.aoti_torch_get_dtype(handle, &dtype), "read a result");
  Shape shape(sizes, sizes + dims), steps(strides, strides + dims);
  if (view == View::channels_last) {
    ensure(dims == 4, "libtorch returned ", dims, " dimensions where 4 were expected");
    shape = {sizes[0], sizes[2], sizes[3], sizes[1]};
    steps = {strides[0], strides[2], strides[3], strides[1]};
  }
  const Layout dense = layout_of(shape, View::plain);
  bool is_dense = true;
  for (size_t d = 0; d < shape.size(); ++d) is_dense &= shape[d] <= 1 || steps[d] == dense.strides[d];
  if (!is_dense) return densify(shape, from_torch(dtype), static_cast<const char*>(data), steps);
  return Tensor::wrap(std::move(shape), from_torch(dtype), data, std::move(owner));
}

}  // namespace

Call::Call(const char* op, const char* overload) : op_(op), overload_(overload) { stack_.reserve(16); }

Call::~Call() = default;

Call& Call::tensor(const Tensor& t, View view) {
  stack_.push_back(as_slot(borrow(t, view)));
  return *this;
}

Call& Call::optional(const Tensor& t, View view) {
  if (!t.defined()) return none();
  stack_.push_back(heap_slot(as_slot(borrow(t, view))));
  return *this;
}

Call& Call::integer(int64_t value) {
  stack_.push_back(static_cast<uint64_t>(value));
  return *this;
}

Call& Call::real(double value) {
  stack_.push_back(std::bit_cast<uint64_t>(value));
  return *this;
}

Call& Call::boolean(bool value) {
  stack_.push_back(value ? 1 : 0);
  return *this;
}

Call& Call::none() {
  stack_.push_back(0);
  return *this;
}

Call& Call::integers(std::initializer_list<int64_t> values) {
  stack_.push_back(list_slot(values));
  return *this;
}

Call& Call::booleans(std::initializer_list<bool> values) {
  stack_.push_back(list_slot(values));
  return *this;
}

Call& Call::tensors(std::initializer_list<Tensor> values) {
  const Symbols& s = symbols();
  ListHandle list = nullptr;
  check(s.torch_new_list_reserve_size(values.size(), &list), "make a list");
  for (const Tensor& t : values) check(s.torch_list_push_back(list, as_slot(borrow(t, View::plain))), "fill a list");
  stack_.push_back(reinterpret_cast<uint64_t>(list));
  return *this;
}

Call& Call::text(const char* value) {
  StringHandle handle = nullptr;
  check(symbols().torch_new_string_handle(value, std::strlen(value), &handle), "make a string");
  stack_.push_back(reinterpret_cast<uint64_t>(handle));
  return *this;
}

std::vector<Tensor> Call::run(int results, View view) { return adopt_results(std::vector<View>(static_cast<size_t>(results), view)); }

std::vector<Tensor> Call::run(std::initializer_list<View> views) { return adopt_results(views); }

std::vector<Tensor> Call::adopt_results(const std::vector<View>& views) {
  if (stack_.size() < views.size()) stack_.resize(views.size());
  apply_thread_count();
  const Status status = symbols().torch_call_dispatcher(op_.c_str(), overload_.c_str(), stack_.data(), kAbiVersion);
  ensure(status == 0, "libtorch operator ", op_, " failed; libtorch's own message is on stderr");
  std::vector<std::shared_ptr<void>> owners;  // of all, before any of them is looked at
  for (size_t i = 0; i < views.size(); ++i) owners.push_back(owned(reinterpret_cast<TensorHandle>(stack_[i])));
  std::vector<Tensor> out;
  for (size_t i = 0; i < views.size(); ++i) out.push_back(adopt(std::move(owners[i]), views[i]));
  return out;
}

}  // namespace motley::libtorch
