// SPDX-License-Identifier: Apache-2.0
// What the opaque handles of the diffusion models hold, and the checks that their entries share.
#pragma once

#include <memory>

#include "api/guard.h"
#include "models/clip_text.h"
#include "models/clip_vision.h"
#include "models/unet.h"
#include "models/vae.h"
#include "sampler/sampler.h"

struct motley_text {
  motley::ClipText model;
};

struct motley_vision {
  motley::ClipVision model;
};

struct motley_unet {
  std::shared_ptr<const motley::UNet> model;
};

struct motley_vae {
  motley::Vae model;
};

struct motley_prompts {
  std::shared_ptr<const motley::UNet> model;  // kept, so that no other model can be taken for it
  int64_t count;
  motley::Prompts prompts;
};

namespace motley::api {

constexpr int64_t kMostImages = 1 << 20;  // of one call
constexpr int64_t kMostTokens = 1 << 16;
constexpr int64_t kLongestSide = 1 << 14;  // latents or pixels

inline void check_count(const char* name, int64_t value, int64_t most) {
  require(value >= 1 && value <= most, name, " must be 1 to ", most, ", got ", value);
}

/// A side of an image or of latents, a positive multiple of `multiple`.
inline void check_side(const char* name, int64_t value, int64_t multiple) {
  require(value >= 1 && value <= kLongestSide && value % multiple == 0, name, " must be a multiple of ", multiple, " up to ", kLongestSide,
          ", got ", value);
}

}  // namespace motley::api
