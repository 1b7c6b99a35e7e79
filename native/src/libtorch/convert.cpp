// SPDX-License-Identifier: Apache-2.0
#include "libtorch/convert.h"

#include <type_traits>

#include "libtorch/parallel.h"
#include "libtorch/unaligned.h"

namespace motley {
namespace {

template <typename To, typename From>
To converted(From x) {
  if constexpr (std::is_arithmetic_v<To> && std::is_arithmetic_v<From>) {
    return static_cast<To>(x);
  } else if constexpr (std::is_arithmetic_v<From>) {
    return from_float<To>(static_cast<float>(x));
  } else if constexpr (std::is_arithmetic_v<To>) {
    return to_float(x);
  } else {
    return from_float<To>(to_float(x));
  }
}

// A loop for each pair of types, which the compiler vectorises.
template <typename From, typename To>
void convert_as(const void* in, void* out, int64_t n) {
  const From* from = static_cast<const From*>(in);
  To* to = static_cast<To*>(out);
  parallel_for(n, 1 << 15, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) to[i] = converted<To>(unaligned(from + i));
  });
}

template <typename From>
void convert_from(const void* in, DType to, void* out, int64_t n) {
  switch (to) {
    case DType::f32: return convert_as<From, float>(in, out, n);
    case DType::f16: return convert_as<From, half>(in, out, n);
    case DType::bf16: return convert_as<From, bf16>(in, out, n);
    case DType::f64: return convert_as<From, double>(in, out, n);
    default: ensure(false, "no conversion to ", name_of(to));
  }
}

}  // namespace

void convert(DType from, const void* in, DType to, void* out, int64_t n) {
  switch (from) {
    case DType::f32: return convert_from<float>(in, to, out, n);
    case DType::f16: return convert_from<half>(in, to, out, n);
    case DType::bf16: return convert_from<bf16>(in, to, out, n);
    case DType::f64: return convert_from<double>(in, to, out, n);
    case DType::u8: return convert_from<uint8_t>(in, to, out, n);
    case DType::i64: return convert_from<int64_t>(in, to, out, n);
  }
}

}  // namespace motley
