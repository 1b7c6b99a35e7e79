// SPDX-License-Identifier: Apache-2.0
#include "libtorch/convert.h"

#include <cstring>

#include "libtorch/parallel.h"

namespace motley {
namespace {

// A checkpoint's tensors may begin at any byte of the file.
template <typename T>
T element_at(const void* in, int64_t i) {
  T value;
  std::memcpy(&value, static_cast<const T*>(in) + i, sizeof value);
  return value;
}

double load(DType dtype, const void* in, int64_t i) {
  switch (dtype) {
    case DType::f32: return element_at<float>(in, i);
    case DType::f16: return to_float(element_at<half>(in, i));
    case DType::bf16: return to_float(element_at<bf16>(in, i));
    case DType::f64: return element_at<double>(in, i);
    case DType::u8: return element_at<uint8_t>(in, i);
    case DType::i64: return static_cast<double>(element_at<int64_t>(in, i));
  }
  return 0;
}

}  // namespace

void convert(DType from, const void* in, DType to, void* out, int64_t n) {
  ensure(to == DType::f32 || to == DType::bf16 || to == DType::f64, "no conversion to ", name_of(to));
  // the pair that training and inference in bf16 meet all the time: loops that the compiler vectorises
  if (from == DType::bf16 && to == DType::f32) {
    return parallel_for(n, 1 << 15, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) static_cast<float*>(out)[i] = to_float(static_cast<const bf16*>(in)[i]);
    });
  }
  if (from == DType::f32 && to == DType::bf16) {
    return parallel_for(n, 1 << 15, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) static_cast<bf16*>(out)[i] = from_float<bf16>(static_cast<const float*>(in)[i]);
    });
  }
  parallel_for(n, 1 << 15, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const double value = load(from, in, i);
      if (to == DType::f32) static_cast<float*>(out)[i] = static_cast<float>(value);
      if (to == DType::bf16) static_cast<bf16*>(out)[i] = from_float<bf16>(static_cast<float>(value));
      if (to == DType::f64) static_cast<double*>(out)[i] = value;
    }
  });
}

}  // namespace motley
