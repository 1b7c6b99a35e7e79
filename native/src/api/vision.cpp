// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "api/handles.h"
#include "api/weights.h"

using namespace motley;
using namespace motley::api;

motley_status motley_vision_create(const motley_vision_config* config, const motley_weights* weights, motley_vision** out,
                                   motley_error* error) noexcept {
  return guarded(error, [&] {
    const auto& c = checked(config, "motley_vision_config");
    check_pointer("weights", weights);
    check_pointer("out", out);
    *out = new motley_vision{make_clip_vision(c, weights->tensors)};
  });
}

void motley_vision_destroy(motley_vision* vision) noexcept { delete vision; }

motley_status motley_vision_encode(motley_vision* vision, int64_t n, const float* pixels, float* embeds, motley_error* error) noexcept {
  return guarded(error, [&] {
    check_pointer("vision", vision);
    check_pointer("pixels", pixels);
    check_pointer("embeds", embeds);
    check_count("n", n, kMostImages);
    const Tensor e = clip_vision(vision->model, n, pixels).to(DType::f32);
    std::memcpy(embeds, e.raw(), static_cast<size_t>(e.bytes()));
  });
}
