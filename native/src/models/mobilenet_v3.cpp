// SPDX-License-Identifier: Apache-2.0
// MobileNetV3-Small (Howard et al. 2019) as torchvision has it.
#include <algorithm>
#include <optional>

#include "models/architectures.h"
#include "models/conv_norm.h"
#include "ops/cast.h"
#include "ops/normalise.h"
#include "ops/pooling.h"
#include "ops/squeeze_excite.h"

namespace motley {
namespace {

using ops::Activation;

constexpr double kNormEps = 1e-3, kNormMomentum = 0.01, kDropout = 0.2, kLinearDeviation = 0.01;
constexpr int64_t kStemChannels = 16, kHidden = 1024;
constexpr int64_t kReduction = 32;  // of height and width, rounded up at each halving

struct BlockPlan {
  int64_t kernel, expanded, out;
  bool squeezes;
  Activation activation;
  int64_t stride;
};
// clang-format off
constexpr BlockPlan kSmall[] = {
    {3, 16, 16, true, Activation::relu, 2},
    {3, 72, 24, false, Activation::relu, 2},
    {3, 88, 24, false, Activation::relu, 1},
    {5, 96, 40, true, Activation::hard_swish, 2},
    {5, 240, 40, true, Activation::hard_swish, 1},
    {5, 240, 40, true, Activation::hard_swish, 1},
    {5, 120, 48, true, Activation::hard_swish, 1},
    {5, 144, 48, true, Activation::hard_swish, 1},
    {5, 288, 96, true, Activation::hard_swish, 2},
    {5, 576, 96, true, Activation::hard_swish, 1},
    {5, 576, 96, true, Activation::hard_swish, 1},
};
// clang-format on

/// The multiple of 8 that is nearest to channels, but no less than 9 tenths of it.
constexpr int64_t divisible(int64_t channels) {
  const int64_t nearest = std::max<int64_t>(8, (channels + 4) / 8 * 8);
  return 10 * nearest < 9 * channels ? nearest + 8 : nearest;
}

// Inverted residual: expands, filters each channel, squeezes and excites, projects.
struct Block {
  std::optional<ConvNorm> expand;
  ConvNorm filter;
  std::optional<ops::SqueezeExcite> excite;
  ConvNorm project;
  Activation activation;
  bool residual;
};

class MobileNetV3 : public Classifier {
 public:
  explicit MobileNetV3(const ClassifierConfig& config) : Classifier(config) {
    stem_ = unit("features.0.", kStemChannels, 3, 3, 2);
    int64_t in = kStemChannels, index = 1;
    for (const BlockPlan& plan : kSmall) {
      blocks_.push_back(block(concat("features.", index++, ".block."), in, plan));
      in = plan.out;
    }
    last_ = unit(concat("features.", index, "."), 6 * in, in, 1, 1);
    hidden_ = small_linear("classifier.0", kHidden, 6 * in);
    declared(small_linear("classifier.3", config.classes, kHidden));
  }

  int64_t least_batch() const override { return config().image_size > kReduction ? 1 : 2; }

  Tensor features(const Tensor& images, const Pass& pass) override {
    const ops::Statistics statistics = pass.statistics;
    if (statistics == ops::Statistics::running && !folded_) fold();
    Tensor x = stem_(ops::cast(images, config().compute), statistics, Activation::hard_swish);
    for (const Block& b : blocks_) {
      Tensor y = b.expand ? (*b.expand)(x, statistics, b.activation) : x;
      y = b.filter(y, statistics, b.activation);
      if (b.excite) y = ops::squeeze_excite(y, *b.excite);
      x = b.project(y, statistics, Activation::none, b.residual ? x : Tensor());
    }
    x = ops::global_average_pool(last_(x, statistics, Activation::hard_swish));
    x = ops::linear(ops::cast(x, DType::f32), hidden_.weight, {hidden_.bias, {}, {}, Activation::none});
    return ops::dropout(ops::activate(x, Activation::hard_swish), config().dropout.value_or(kDropout), pass.stochastic, 0);
  }

  void changed() override { folded_ = false; }

 private:
  // Named as torchvision does: a convolution is <name>0, its norm <name>1. in: channels of a group.
  ConvNorm unit(const std::string& name, int64_t out, int64_t in, int64_t kernel, int64_t stride,
                ConvNorm::Kind kind = ConvNorm::Kind::full) {
    const Tensor weight = conv(name + "0", out, in, kernel);
    ops::BatchNorm norm = batch_norm(name + "1", out);
    norm.eps = kNormEps;
    norm.momentum = kNormMomentum;
    return {weight, norm, ops::Conv2d::same(kernel, stride), config().compute, kind};
  }

  Block block(const std::string& name, int64_t in, const BlockPlan& plan) {
    Block b;
    int64_t layer = 0;
    const auto next = [&] { return concat(name, layer++, "."); };
    if (plan.expanded != in) b.expand = unit(next(), plan.expanded, in, 1, 1);
    b.filter = unit(next(), plan.expanded, 1, plan.kernel, plan.stride, ConvNorm::Kind::depthwise);
    if (plan.squeezes) b.excite = squeeze_excite(next(), plan.expanded);
    b.project = unit(next(), plan.out, plan.expanded, 1, 1);
    b.activation = plan.activation;
    b.residual = plan.stride == 1 && in == plan.out;
    return b;
  }

  ops::SqueezeExcite squeeze_excite(const std::string& name, int64_t channels) {
    const int64_t squeezed = divisible(channels / 4);
    const Initial zero = Initial::constant(0);
    ops::SqueezeExcite layer;
    layer.squeeze_weight = conv(name + "fc1", squeezed, channels, 1);
    layer.squeeze_bias = parameter(name + "fc1.bias", {squeezed}, zero);
    layer.excite_weight = conv(name + "fc2", channels, squeezed, 1);
    layer.excite_bias = parameter(name + "fc2.bias", {channels}, zero);
    return layer;
  }

  Linear small_linear(const std::string& name, int64_t out, int64_t in) {
    Linear layer;
    layer.weight = parameter(name + ".weight", {out, in}, Initial::normal(kLinearDeviation));
    layer.bias = parameter(name + ".bias", {out}, Initial::constant(0));
    return layer;
  }

  void fold() {
    stem_.fold();
    for (Block& b : blocks_) {
      if (b.expand) b.expand->fold();
      b.filter.fold();
      b.project.fold();
    }
    last_.fold();
    folded_ = true;
  }

  ConvNorm stem_, last_;
  std::vector<Block> blocks_;
  Linear hidden_;
  bool folded_ = false;
};

}  // namespace

std::unique_ptr<Classifier> make_mobilenet_v3_small(const ClassifierConfig& config) { return std::make_unique<MobileNetV3>(config); }

}  // namespace motley
