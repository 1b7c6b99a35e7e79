// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "api/handles.h"
#include "api/weights.h"

using namespace motley;
using namespace motley::api;

motley_status motley_text_create(const motley_text_config* config, const motley_weights* weights, motley_text** out,
                                 motley_error* error) noexcept {
  return guarded(error, [&] {
    const auto& c = checked(config, "motley_text_config");
    check_pointer("weights", weights);
    check_pointer("out", out);
    *out = new motley_text{make_clip_text(c, weights->tensors)};
  });
}

void motley_text_destroy(motley_text* text) noexcept { delete text; }

motley_status motley_text_encode(motley_text* text, int64_t n, const int32_t* ids, float* hidden, motley_error* error) noexcept {
  return guarded(error, [&] {
    check_pointer("text", text);
    check_pointer("ids", ids);
    check_pointer("hidden", hidden);
    check_count("n", n, kMostImages);
    const motley_text_config& c = text->model.config;
    for (int64_t i = 0; i < n * c.positions; ++i) {
      require(ids[i] >= 0 && ids[i] < c.vocabulary, "ids[", i, "] = ", ids[i], " is not in the vocabulary of ", c.vocabulary);
    }
    const Tensor h = clip_text(text->model, n, ids).to(DType::f32);
    std::memcpy(hidden, h.raw(), static_cast<size_t>(h.bytes()));
  });
}
