// SPDX-License-Identifier: Apache-2.0
// UNet2DConditionModel of Stable Diffusion v1's layout, by diffusers' config and names.
#pragma once

#include <optional>
#include <vector>

#include "models/layers.h"
#include "motley.h"

namespace motley {

struct ResBlock {
  Norm norm1, norm2;
  Layer conv1, conv2;  // conv1's bias is part of `time`
  Layer time;          // projection of the time embedding, with conv1's bias added to its own
  Layer shortcut;      // dense; undefined where the widths agree
  int64_t in = 0, out = 0;
  size_t index = 0;  // among all residual blocks: its place in a TimeTable
};

/// A spatial transformer: norm, projection, self-attention, cross-attention, gated feed-forward, projection.
struct Transformer {
  Norm norm, norm1, norm2, norm3;
  Layer proj_in, proj_out;
  Layer qkv, out1;    // self-attention
  Layer q, kv, out2;  // cross-attention; kv: keys and values of the context as one matrix
  Layer gate, ff;     // feed-forward with GEGLU
  int64_t width = 0, heads = 0;
  size_t index = 0;  // among all transformers: its place in a EncodedContext
};

struct UNetBlock {
  std::vector<ResBlock> resnets;
  std::vector<Transformer> attentions;  // none, or one to each residual block (in the middle: between the two)
  std::optional<Layer> resample;        // stride-2 convolution going down, doubling convolution going up
};

struct UNet {
  motley_unet_config config;
  DType dtype;
  Layer conv_in, conv_out, time1, time2;
  Norm norm_out;
  std::vector<UNetBlock> down, up;
  UNetBlock mid;
  std::vector<Layer> time_projections;           // of every residual block, by its index
  std::vector<const Transformer*> transformers;  // by index
};

void check(const motley_unet_config& config);
/// The result does not move: its blocks are pointed into.
std::unique_ptr<const UNet> make_unet(const motley_unet_config& config, const NamedTensors& weights);

/// What each residual block adds after its first convolution (bias included), one row per time step: (steps, width) float32.
using TimeTable = std::vector<Tensor>;
TimeTable tabulate_time(const UNet& model, int64_t steps, const float* timesteps);
/// Row `step` alone, (width) each.
TimeTable time_row(const TimeTable& table, int64_t step);

/// Cross-attention keys and values of encoded prompts: per transformer (prompts, tokens, 2 * width).
using EncodedContext = std::vector<Tensor>;
EncodedContext encode_context(const UNet& model, const Tensor& hidden);  // (prompts, tokens, cross_attention_dim), float32

/// x (N, H, W, in) of the model's element type, of any size -> eps (N, H, W, out). time: rows (width) for all images, or (N, width).
/// Image n attends to context entry prompt[n].
Tensor unet(const UNet& model, const Tensor& x, const TimeTable& time, const EncodedContext& context, const int32_t* prompt);

/// The same for rows that share images, the two halves of guidance: row r is image image_of[r] of x with context entry
/// prompt[r]. What comes before the first cross-attention is computed once per image. time: rows for all. as_published: bits of
/// MOTLEY_PUBLISHED_UPSAMPLE and _PREFIX.
Tensor unet(const UNet& model, const Tensor& x, const TimeTable& time, const EncodedContext& context, const std::vector<int32_t>& prompt,
            const std::vector<int32_t>& image_of, int32_t as_published = 0);

}  // namespace motley
