// SPDX-License-Identifier: Apache-2.0
#include "sampler/pixels.h"

#include <algorithm>
#include <vector>

#include "kernels/cpu/sampling.h"
#include "libtorch/tasks.h"
#include "ops/layout.h"

namespace motley {
namespace {

// Decoded together by a thread: large activations leave the cache, small ones waste calls. And by all threads: activations take
// about 10 KiB a pixel in Stable Diffusion's decoder.
constexpr int64_t kChunkPixels = 1 << 14, kPixels = 1 << 18;

}  // namespace

void decode_pixels(const Vae& vae, int64_t n, int64_t h, int64_t w, const float* latents, bool truncate, uint8_t* pixels, float* units,
                   int32_t* flags) {
  const motley_vae_config& c = vae.config;
  const int64_t scale = scale_of(c), area = h * w * scale * scale, image = area * c.out_channels;
  const int64_t latent = c.latent_channels * h * w, own = std::min(kChunkPixels, kPixels / parallel_threads());
  const int64_t chunk = std::clamp<int64_t>(own / area, 1, n);
  const float factor = static_cast<float>(1.0 / c.scaling_factor);
  const auto decode = [&](int64_t task) {
    const int64_t first = task * chunk, count = std::min(chunk, n - first);
    std::vector<float> z(latents + first * latent, latents + (first + count) * latent);
    for (float& value : z) value *= factor;
    const Tensor decoded = vae_decode(vae, ops::from_nchw(z.data(), count, c.latent_channels, h, w, vae.dtype)).to(DType::f32);
    std::vector<uint8_t> spare(pixels == nullptr ? static_cast<size_t>(image) : 0);
    for (int64_t i = 0; i < count; ++i) {
      uint8_t* to = pixels == nullptr ? spare.data() : pixels + (first + i) * image;
      float* unit = units == nullptr ? nullptr : units + (first + i) * image;
      const bool finite = kernels::sampling_kernels().quantise(image, decoded.data<float>() + i * image, truncate, unit, to);
      flags[first + i] = (finite ? 0 : kFlagNotFinite) | (kernels::is_constant(to, area, c.out_channels) ? kFlagConstant : 0);
    }
  };
  const int64_t tasks = (n + chunk - 1) / chunk;
  if (area <= own) return for_each_task(tasks, decode);
  // a larger picture by all threads, one after the other, so that memory holds the activations of one
  for (int64_t i = 0; i < tasks; ++i) decode(i);
}

}  // namespace motley
