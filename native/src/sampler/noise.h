// SPDX-License-Identifier: Apache-2.0
// Normal noise: counter-based (Philox), and torch's CPU generator for pictures that diffusers users know.
#pragma once

#include <cstdint>

namespace motley {

/// Element i of draw `draw` of an image: block i / 4 of the stream (seed, image key, draw), its words in pairs through
/// Box-Muller. draw below 2^32, n at most 2^34.
void philox_normals(uint64_t seed, uint64_t image_key, uint64_t draw, int64_t n, float* out);

/// out (draws, n): what successive torch.randn(n, generator=g) give, g = torch.Generator("cpu").manual_seed(seed), float32: mt19937;
/// from 16 elements on, float32 Box-Muller over blocks of 16; below, float64 Box-Muller in pairs, of which the second is kept for the
/// next draw.
void torch_normals(uint64_t seed, int64_t draws, int64_t n, float* out);

}  // namespace motley
