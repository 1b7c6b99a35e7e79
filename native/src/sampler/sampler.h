// SPDX-License-Identifier: Apache-2.0
// The denoising loop: DDIM with classifier-free guidance, per image.
#pragma once

#include "models/unet.h"
#include "sampler/ddim.h"

namespace motley {

/// Into how many parts, of the same size but for one image, a batch is cut; the images of a part go through the UNet together.
/// Results do not depend on it. batch, threads >= 1; pixels of one latent.
int64_t chunks_of(int64_t batch, int64_t pixels, int64_t threads);

/// Encoded prompts, and what every cross-attention makes of them once.
struct Prompts {
  Tensor hidden;  // (prompts, tokens, cross_attention_dim) float32
  EncodedContext context;
};

/// Denoises params.batch images to latents (batch, channels, height, width). The caller has checked params.
/// Throws Error(CANCELLED) when progress says so.
void sample(const UNet& model, const Prompts& prompts, const motley_ddim_config& config, const motley_sample_params& params,
            float* latents);

}  // namespace motley
