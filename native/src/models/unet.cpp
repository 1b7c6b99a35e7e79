// SPDX-License-Identifier: Apache-2.0
#include "models/unet.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "ops/attention.h"
#include "ops/layout.h"
#include "ops/normalise.h"

namespace motley {
namespace {

using ops::Activation;

constexpr double kTransformerNormEps = 1e-6;  // of the GroupNorm at a transformer's entry, whatever norm_eps says
constexpr double kLayerNormEps = 1e-5;

// ---- taking the weights ----

class Builder {
 public:
  Builder(const motley_unet_config& config, const Taker& root, UNet& model) : c_(config), root_(root), model_(model) {}

  void build() {
    const int64_t first = c_.block_channels[0], last = c_.block_channels[c_.block_count - 1];
    model_.conv_in = root_.conv("conv_in", first, c_.in_channels, 3);
    model_.time1 = root_.dense("time_embedding.linear_1", time_width(), first);
    model_.time2 = root_.dense("time_embedding.linear_2", time_width(), time_width());
    std::vector<int64_t> skips = {first};
    int64_t width = first;
    for (int i = 0; i < c_.block_count; ++i) model_.down.push_back(down_block(i, width, skips));
    const Taker mid = root_.at("mid_block");
    model_.mid.resnets.push_back(resnet(mid.at("resnets.0"), last, last));
    if (c_.mid_attention) {
      model_.mid.attentions.push_back(transformer(mid.at("attentions.0"), last, c_.heads[c_.block_count - 1]));
      model_.mid.resnets.push_back(resnet(mid.at("resnets.1"), last, last));
    }
    for (int i = 0; i < c_.block_count; ++i) model_.up.push_back(up_block(i, width, skips));
    model_.norm_out = root_.norm("conv_norm_out", first);
    model_.conv_out = root_.conv("conv_out", c_.out_channels, first, 3);
  }

 private:
  int64_t time_width() const { return int64_t{4} * c_.block_channels[0]; }

  ResBlock resnet(const Taker& t, int64_t in, int64_t out) {
    ResBlock r;
    r.in = in;
    r.out = out;
    r.norm1 = t.norm("norm1", in);
    r.conv1 = t.conv("conv1", out, in, 3);
    r.time = t.dense("time_emb_proj", out, time_width());
    r.norm2 = t.norm("norm2", out);
    r.conv2 = t.conv("conv2", out, out, 3);
    if (in != out) r.shortcut = t.dense("conv_shortcut", out, in);
    const Tensor joined = r.time.bias.clone();
    for (int64_t i = 0; i < out; ++i) joined.data<float>()[i] += r.conv1.bias.data<float>()[i];
    r.time.bias = joined;
    r.index = model_.time_projections.size();
    model_.time_projections.push_back(r.time);
    return r;
  }

  Transformer transformer(const Taker& t, int64_t width, int64_t heads) {
    Transformer a;
    a.width = width;
    a.heads = heads;
    a.norm = t.norm("norm", width);
    a.proj_in = t.dense("proj_in", width, width);
    a.proj_out = t.dense("proj_out", width, width);
    const Taker b = t.at("transformer_blocks.0");
    a.norm1 = b.norm("norm1", width);
    a.qkv = b.dense_joined({"attn1.to_q", "attn1.to_k", "attn1.to_v"}, width, width, false);
    a.out1 = b.dense("attn1.to_out.0", width, width);
    a.norm2 = b.norm("norm2", width);
    a.q = b.dense("attn2.to_q", width, width, false);
    a.kv = b.dense_joined({"attn2.to_k", "attn2.to_v"}, width, c_.cross_attention_dim, false);
    a.out2 = b.dense("attn2.to_out.0", width, width);
    a.norm3 = b.norm("norm3", width);
    a.gate = b.dense("ff.net.0.proj", 8 * width, width);
    a.ff = b.dense("ff.net.2", width, 4 * width);
    a.index = transformers_++;
    return a;
  }

  UNetBlock down_block(int i, int64_t& width, std::vector<int64_t>& skips) {
    const Taker t = root_.at(concat("down_blocks.", i));
    UNetBlock block;
    for (int j = 0; j < c_.layers_per_block; ++j) {
      block.resnets.push_back(resnet(t.at(concat("resnets.", j)), width, c_.block_channels[i]));
      width = c_.block_channels[i];
      if (c_.down_attention[i]) block.attentions.push_back(transformer(t.at(concat("attentions.", j)), width, c_.heads[i]));
      skips.push_back(width);
    }
    if (i + 1 < c_.block_count) {
      block.resample = t.conv("downsamplers.0.conv", width, width, 3);
      skips.push_back(width);
    }
    return block;
  }

  UNetBlock up_block(int i, int64_t& width, std::vector<int64_t>& skips) {
    const Taker t = root_.at(concat("up_blocks.", i));
    const int level = c_.block_count - 1 - i;
    UNetBlock block;
    for (int j = 0; j <= c_.layers_per_block; ++j) {
      block.resnets.push_back(resnet(t.at(concat("resnets.", j)), width + skips.back(), c_.block_channels[level]));
      skips.pop_back();
      width = c_.block_channels[level];
      if (c_.up_attention[i]) block.attentions.push_back(transformer(t.at(concat("attentions.", j)), width, c_.heads[level]));
    }
    if (i + 1 < c_.block_count) block.resample = t.conv("upsamplers.0.conv", width, width, 3);
    return block;
  }

  const motley_unet_config& c_;
  const Taker& root_;
  UNet& model_;
  size_t transformers_ = 0;
};

// ---- computing ----

Tensor normalised(const Tensor& x, const Norm& norm, int64_t groups, double eps, Activation then) {
  return ops::group_norm(x, groups, eps, norm.weight, norm.bias, then);
}

Tensor layer_normalised(const Tensor& x, const Norm& norm) { return ops::layer_norm(x, kLayerNormEps, norm.weight, norm.bias); }

Tensor run(const ResBlock& r, const UNet& model, const Tensor& x, const TimeTable& time) {
  const int64_t groups = model.config.norm_groups;
  const double eps = model.config.norm_eps;
  ops::Epilogue first, second;
  const Tensor& row = time[r.index];
  (row.dims() == 1 ? first.bias : first.per_image) = row;
  Tensor h = ops::conv2d(normalised(x, r.norm1, groups, eps, Activation::silu), r.conv1.weight, ops::Conv2d::same(3), first);
  second.bias = r.conv2.bias;
  second.residual = r.shortcut.weight ? apply(r.shortcut, x) : x;
  h = normalised(h, r.norm2, groups, eps, Activation::silu);
  return ops::conv2d(h, r.conv2.weight, ops::Conv2d::same(3), second);
}

// Rows of a pass. Until the first cross-attention, rows of one image are the same: they are computed once and then copied.
struct Rows {
  const int32_t* prompt;                 // context entry of each row
  const std::vector<int32_t>* image_of;  // image of each row; null where every row is its own image
  int32_t as_published = 0;

  Tensor spread(const Tensor& x) const {
    if (image_of == nullptr || x.size(0) == static_cast<int64_t>(image_of->size())) return x;
    Shape shape = x.shape();
    shape[0] = static_cast<int64_t>(image_of->size());
    Tensor out = Tensor::empty(shape, x.dtype());
    const int64_t bytes = x.bytes() / x.size(0);
    for (size_t r = 0; r < image_of->size(); ++r) {
      std::memcpy(static_cast<char*>(out.raw()) + static_cast<int64_t>(r) * bytes,
                  static_cast<const char*>(x.raw()) + (*image_of)[r] * bytes, static_cast<size_t>(bytes));
    }
    return out;
  }
};

// x has a row for each image or for each row of the pass; the result has the latter.
Tensor run(const Transformer& t, const UNet& model, const Tensor& x, const Tensor& kv, const Rows& rows) {
  const int64_t tokens = x.size(1) * x.size(2), width = t.width, head = width / t.heads;
  const Tensor entry = normalised(x, t.norm, model.config.norm_groups, kTransformerNormEps, Activation::none);
  Tensor h = apply(t.proj_in, entry.viewed({x.size(0), tokens, width}));
  const Tensor qkv = apply(t.qkv, layer_normalised(h, t.norm1));
  h = apply(t.out1, ops::attention({qkv, 0}, {qkv, width}, {qkv, 2 * width}, t.heads, head, false), h);
  const Tensor q = rows.spread(apply(t.q, layer_normalised(h, t.norm2)));
  h = apply(t.out2, ops::attention({q, 0}, {kv, 0}, {kv, width}, t.heads, head, false, rows.prompt), rows.spread(h));
  h = apply(t.ff, ops::geglu(apply(t.gate, layer_normalised(h, t.norm3))), h);
  const Tensor residual = rows.spread(x);
  return apply(t.proj_out, h, residual.viewed({residual.size(0), tokens, width})).viewed(residual.shape());
}

// diffusers' Timesteps: (steps, width), rounded to float32 where diffusers rounds: at time step 981 a frequency's last bit
// moves the angle by 6e-5, which a more exact computation would show as an error.
Tensor time_embedding(const motley_unet_config& c, int64_t steps, const float* timesteps) {
  const int64_t width = c.block_channels[0], half = width / 2;
  const float slope = static_cast<float>(-std::log(10000.0)), divisor = static_cast<float>(static_cast<double>(half) - c.freq_shift);
  Tensor out = Tensor::zeros({steps, width});
  for (int64_t s = 0; s < steps; ++s) {
    float* row = out.data<float>() + s * width;
    for (int64_t k = 0; k < half; ++k) {
      const float exponent = slope * static_cast<float>(k) / divisor;
      const float angle = timesteps[s] * static_cast<float>(std::exp(static_cast<double>(exponent)));
      const double sine = std::sin(static_cast<double>(angle)), cosine = std::cos(static_cast<double>(angle));
      row[k] = static_cast<float>(c.flip_sin_to_cos ? cosine : sine);
      row[half + k] = static_cast<float>(c.flip_sin_to_cos ? sine : cosine);
    }
  }
  return out;
}

}  // namespace

void check(const motley_unet_config& c) {
  require(c.block_count >= 1 && c.block_count <= MOTLEY_MAX_BLOCKS, "unet config: block_count must be 1 to ", MOTLEY_MAX_BLOCKS, ", got ",
          c.block_count);
  require(c.in_channels > 0 && c.out_channels > 0 && c.layers_per_block > 0 && c.cross_attention_dim > 0 && c.norm_groups > 0,
          "unet config: in_channels, out_channels, layers_per_block, cross_attention_dim and norm_groups must be positive");
  require(c.layers_per_block <= kMostLayers && std::max({c.in_channels, c.out_channels, c.cross_attention_dim}) <= kWidest,
          "unet config: at most ", kMostLayers, " layers_per_block and ", kWidest, " channels");
  for (int i = 0; i < c.block_count; ++i) {
    const int width = c.block_channels[i];
    require(width <= kWidest, "unet config: block_channels[", i, "] = ", width, " is above ", kWidest);
    require(width > 0 && width % c.norm_groups == 0, "unet config: block_channels[", i, "] = ", width,
            " is not a positive multiple of norm_groups ", c.norm_groups);
    const bool attends = c.down_attention[i] || c.up_attention[c.block_count - 1 - i] || (c.mid_attention && i + 1 == c.block_count);
    require(!attends || (c.heads[i] > 0 && width % c.heads[i] == 0), "unet config: block_channels[", i, "] = ", width,
            " is not a multiple of heads[", i, "] = ", c.heads[i]);
  }
  require(c.block_channels[0] % 2 == 0, "unet config: block_channels[0] must be even, got ", c.block_channels[0]);
  activations_in("unet config", c.precision);
  require(c.norm_eps > 0 && c.norm_eps < 1, "unet config: norm_eps must be in (0, 1), got ", c.norm_eps);
  require(std::isfinite(c.freq_shift) && c.freq_shift < c.block_channels[0] / 2, "unet config: freq_shift must be below ",
          c.block_channels[0] / 2, ", got ", c.freq_shift);
}

std::unique_ptr<const UNet> make_unet(const motley_unet_config& config, const NamedTensors& weights) {
  check(config);
  auto model = std::make_unique<UNet>();
  model->config = config;
  model->dtype = activations_in("unet config", config.precision);
  Parameters parameters("unet", weights);
  Builder(config, Taker(parameters, model->dtype), *model).build();
  parameters.finish();
  for (auto* blocks : {&model->down, &model->up}) {
    if (blocks == &model->up) {
      for (const Transformer& t : model->mid.attentions) model->transformers.push_back(&t);
    }
    for (const UNetBlock& block : *blocks) {
      for (const Transformer& t : block.attentions) model->transformers.push_back(&t);
    }
  }
  return model;
}

TimeTable tabulate_time(const UNet& model, int64_t steps, const float* timesteps) {
  const Tensor wave = time_embedding(model.config, steps, timesteps).to(model.dtype);
  const Tensor hidden = apply(model.time2, apply(model.time1, wave, {}, Activation::silu), {}, Activation::silu);
  TimeTable table;
  for (const Layer& projection : model.time_projections) table.push_back(apply(projection, hidden).to(DType::f32));
  return table;
}

TimeTable time_row(const TimeTable& table, int64_t step) {
  TimeTable row;
  for (const Tensor& t : table) row.push_back(ops::slice(t, step, 1).viewed({t.size(1)}));
  return row;
}

EncodedContext encode_context(const UNet& model, const Tensor& hidden) {
  const Tensor x = hidden.to(model.dtype);
  EncodedContext context;
  for (const Transformer* t : model.transformers) context.push_back(apply(t->kv, x));
  return context;
}

namespace {

Tensor forward(const UNet& model, const Tensor& x, const TimeTable& time, const EncodedContext& context, const Rows& rows) {
  auto attend = [&](const Transformer& t, const Tensor& h) { return run(t, model, h, context[t.index], rows); };
  ops::Epilogue in, out;
  in.bias = model.conv_in.bias;
  out.bias = model.conv_out.bias;
  Tensor h = ops::conv2d(x, model.conv_in.weight, ops::Conv2d::same(3), in);
  std::vector<Tensor> skips = {h};
  for (const UNetBlock& block : model.down) {
    for (size_t j = 0; j < block.resnets.size(); ++j) {
      h = run(block.resnets[j], model, h, time);
      if (!block.attentions.empty()) h = attend(block.attentions[j], h);
      skips.push_back(h);
    }
    if (block.resample) {
      ops::Epilogue e;
      e.bias = block.resample->bias;
      h = ops::conv2d(h, block.resample->weight, ops::Conv2d::same(3, 2), e);
      skips.push_back(h);
    }
  }
  h = run(model.mid.resnets[0], model, h, time);
  if (!model.mid.attentions.empty()) {
    h = attend(model.mid.attentions[0], h);
    h = run(model.mid.resnets[1], model, h, time);
  }
  for (const UNetBlock& block : model.up) {
    for (size_t j = 0; j < block.resnets.size(); ++j) {
      const Tensor skip = h.size(0) == skips.back().size(0) ? skips.back() : rows.spread(skips.back());
      skips.pop_back();
      h = run(block.resnets[j], model, ops::concat_channels(h, skip), time);
      if (!block.attentions.empty()) h = attend(block.attentions[j], h);
    }
    if (block.resample) h = upsample(*block.resample, h, skips.back().size(1), skips.back().size(2), rows.as_published);
  }
  h = normalised(h, model.norm_out, model.config.norm_groups, model.config.norm_eps, Activation::silu);
  return ops::conv2d(h, model.conv_out.weight, ops::Conv2d::same(3), out);
}

}  // namespace

Tensor unet(const UNet& model, const Tensor& x, const TimeTable& time, const EncodedContext& context, const int32_t* prompt) {
  return forward(model, x, time, context, {prompt, nullptr, 0});
}

Tensor unet(const UNet& model, const Tensor& x, const TimeTable& time, const EncodedContext& context, const std::vector<int32_t>& prompt,
            const std::vector<int32_t>& image_of, int32_t as_published) {
  ensure(prompt.size() == image_of.size(), "unet: ", prompt.size(), " prompts for ", image_of.size(), " rows");
  const Rows rows = {prompt.data(), &image_of, as_published};
  const Tensor first = as_published & MOTLEY_PUBLISHED_PREFIX ? rows.spread(x) : x;
  return rows.spread(forward(model, first, time, context, rows));
}

}  // namespace motley
