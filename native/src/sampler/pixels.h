// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/vae.h"

namespace motley {

constexpr int32_t kFlagNotFinite = 1;
constexpr int32_t kFlagConstant = 2;

/// Scaled latents (n, c, h, w) -> pixels and units (n, H, W, out_channels), either may be null, and flags (n).
void decode_pixels(const Vae& vae, int64_t n, int64_t h, int64_t w, const float* latents, bool truncate, uint8_t* pixels, float* units,
                   int32_t* flags);

}  // namespace motley
