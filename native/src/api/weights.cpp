// SPDX-License-Identifier: Apache-2.0
#include "api/weights.h"

#include "api/guard.h"

using namespace motley;
using namespace motley::api;

motley_status motley_weights_create(motley_weights** out, motley_error* error) noexcept {
  return guarded(error, [&] {
    check_pointer("out", out);
    *out = new motley_weights;
  });
}

void motley_weights_destroy(motley_weights* weights) noexcept { delete weights; }

motley_status motley_weights_add(motley_weights* weights, const char* name, int32_t dtype, int32_t dims, const int64_t* shape,
                                 const void* data, int64_t bytes, int32_t mapped, motley_error* error) noexcept {
  return guarded(error, [&] {
    check_pointer("weights", weights);
    check_pointer("name", name);
    if (dims != 0) check_pointer("shape", shape);
    require(dtype >= MOTLEY_F32 && dtype <= MOTLEY_I64, name, ": unknown element type ", dtype);
    require(dims >= 0 && dims <= MOTLEY_MAX_DIMS, name, ": ", dims, " dimensions, at most ", MOTLEY_MAX_DIMS, " are supported");
    const Shape sizes(shape, shape + dims);
    for (int64_t size : sizes) require(size > 0, name, ": shape ", shown(sizes), " has an empty dimension");
    const auto type = static_cast<DType>(dtype);
    require(bytes == elements(sizes) * size_of(type), name, ": ", bytes, " bytes for shape ", shown(sizes), " of ", name_of(type),
            ", expected ", elements(sizes) * size_of(type));
    require(data != nullptr, name, ": data is NULL");
    require(weights->tensors.emplace(name, NamedTensor{type, sizes, data, mapped != 0}).second, name, " was added twice");
  });
}
