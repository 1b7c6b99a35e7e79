// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "api/handles.h"
#include "api/weights.h"
#include "ops/layout.h"
#include "sampler/pixels.h"

using namespace motley;
using namespace motley::api;

motley_status motley_vae_create(const motley_vae_config* config, const motley_weights* weights, motley_vae** out,
                                motley_error* error) noexcept {
  return guarded(error, [&] {
    const auto& c = checked(config, "motley_vae_config");
    check_pointer("weights", weights);
    check_pointer("out", out);
    *out = new motley_vae{make_vae(c, weights->tensors)};
  });
}

void motley_vae_destroy(motley_vae* vae) noexcept { delete vae; }

motley_status motley_vae_decode(motley_vae* vae, int64_t n, int64_t h, int64_t w, const float* latents, float* images,
                                motley_error* error) noexcept {
  return guarded(error, [&] {
    check_pointer("vae", vae);
    check_pointer("latents", latents);
    check_pointer("images", images);
    check_count("n", n, kMostImages);
    check_side("h", h, 1);
    check_side("w", w, 1);
    const Tensor z = ops::from_nchw(latents, n, vae->model.config.latent_channels, h, w, vae->model.dtype);
    ops::to_nchw(vae_decode(vae->model, z), images);
  });
}

motley_status motley_vae_encode(motley_vae* vae, int64_t n, int64_t height, int64_t width, const float* images, float* mean, float* logvar,
                                motley_error* error) noexcept {
  return guarded(error, [&] {
    check_pointer("vae", vae);
    check_pointer("images", images);
    check_pointer("mean", mean);
    check_pointer("logvar", logvar);
    check_count("n", n, kMostImages);
    const motley_vae_config& c = vae->model.config;
    check_side("height", height, scale_of(c));
    check_side("width", width, scale_of(c));
    const Tensor x = ops::from_nchw(images, n, c.in_channels, height, width, vae->model.dtype);
    const Tensor moments = vae_encode(vae->model, x);
    const int64_t half = moments.numel() / n / 2;
    std::vector<float> values(static_cast<size_t>(2 * half * n));
    ops::to_nchw(moments, values.data());
    for (int64_t i = 0; i < n; ++i) {
      std::copy_n(values.data() + 2 * i * half, half, mean + i * half);
      std::copy_n(values.data() + (2 * i + 1) * half, half, logvar + i * half);
    }
  });
}

motley_status motley_vae_decode_pixels(motley_vae* vae, int64_t n, int64_t h, int64_t w, const float* latents, int32_t truncate,
                                       uint8_t* pixels, float* floats, int32_t* flags, motley_error* error) noexcept {
  return guarded(error, [&] {
    check_pointer("vae", vae);
    check_pointer("latents", latents);
    check_pointer("flags", flags);
    require(pixels != nullptr || floats != nullptr, "pixels and floats are both NULL");
    require(truncate == 0 || truncate == 1, "truncate must be 0 or 1, got ", truncate);
    check_count("n", n, kMostImages);
    check_side("h", h, 1);
    check_side("w", w, 1);
    decode_pixels(vae->model, n, h, w, latents, truncate == 1, pixels, floats, flags);
  });
}
