// SPDX-License-Identifier: Apache-2.0
// CLIP's vision transformer, as transformers' CLIPVisionModelWithProjection computes image_embeds.
#pragma once

#include "models/clip_block.h"

namespace motley {

struct ClipVision {
  motley_vision_config config;
  Tensor class_token, positions;  // (width), (1 + patches, width), float32
  Layer patches;                  // (width, patch, patch, 3), no bias
  Norm pre_norm, post_norm;
  ClipTransformer transformer;
  Layer projection;  // (projection, width), no bias
};

/// Throws INVALID_ARGUMENT naming the field of a config that makes no sense.
void check(const motley_vision_config& config);

/// Takes the weights by their names in published checkpoints ("vision_model.encoder.layers.0....",
/// "visual_projection.weight"); the leading "vision_model." may be absent.
ClipVision make_clip_vision(const motley_vision_config& config, const NamedTensors& weights);

/// pixels (n, 3, image_size, image_size), normalised -> (n, projection).
Tensor clip_vision(const ClipVision& model, int64_t n, const float* pixels);

}  // namespace motley
