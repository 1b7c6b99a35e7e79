// SPDX-License-Identifier: Apache-2.0
// CLIP's text transformer, as transformers' CLIPTextModel computes last_hidden_state.
#pragma once

#include "models/clip_block.h"

namespace motley {

struct ClipText {
  motley_text_config config;
  Tensor tokens, positions;  // (vocabulary, width), (positions, width), float32
  ClipTransformer transformer;
  Norm final_norm;
};

/// Throws INVALID_ARGUMENT naming the field of a config that makes no sense.
void check(const motley_text_config& config);

/// Takes the weights by their names in published checkpoints ("text_model.encoder.layers.0...."); the leading "text_model."
/// may be absent, as transformers 5 writes it.
ClipText make_clip_text(const motley_text_config& config, const NamedTensors& weights);

/// ids (n, positions), each below the vocabulary -> hidden (n, positions, width), after the final norm.
Tensor clip_text(const ClipText& model, int64_t n, const int32_t* ids);

}  // namespace motley
