// SPDX-License-Identifier: Apache-2.0
// ResNet with bottleneck blocks (He et al. 2015), as torchvision has it: the stride sits in the 3x3 convolution ("v1.5"), and the
// ImageNet stem (7x7 stride 2, 3x3 maximum stride 2) is kept at every image size unless the other one is asked for.
#include <cmath>
#include <optional>

#include "libtorch/parallel.h"
#include "models/architectures.h"
#include "ops/cast.h"
#include "ops/linear.h"
#include "ops/pooling.h"
#include "ops/tape.h"

namespace motley {
namespace {

using ops::Conv2d;
using ops::Statistics;

constexpr int64_t kStemChannels = 64, kExpansion = 4;
constexpr int64_t kStages = 4;

// A convolution and the normalisation behind it.
struct Unit {
  Tensor weight;
  ops::BatchNorm norm;
  Conv2d how;
  // For inference with running statistics: the normalisation folded into the convolution.
  ops::Weight folded;
  Tensor folded_bias;

  // y = conv(x) * scale + shift, per output channel
  void fold(DType compute) {
    const int64_t out = weight.size(0), per = weight.numel() / out;
    const Tensor w = Tensor::empty(weight.shape());
    folded_bias = Tensor::empty({out});
    const float *from = weight.data<float>(), *gamma = norm.weight.data<float>(), *beta = norm.bias.data<float>();
    const float *mean = norm.running_mean.data<float>(), *var = norm.running_var.data<float>();
    float *to = w.data<float>(), *bias = folded_bias.data<float>();
    parallel_for(out, 1 + (1 << 15) / per, [&](int64_t begin, int64_t end) {
      for (int64_t o = begin; o < end; ++o) {
        const double scale = gamma[o] / std::sqrt(var[o] + norm.eps);
        for (int64_t i = o * per; i < (o + 1) * per; ++i) to[i] = static_cast<float>(from[i] * scale);
        bias[o] = static_cast<float>(beta[o] - mean[o] * scale);
      }
    });
    folded = ops::Weight(w.to(compute));
  }
};

struct Bottleneck {
  Unit conv1, conv2, conv3;
  std::optional<Unit> downsample;
};

class ResNet : public Classifier {
 public:
  ResNet(const ClassifierConfig& config, const int64_t (&blocks)[kStages]) : Classifier(config) {
    stem_ = small() ? unit("conv1", "bn1", kStemChannels, 3, 3, 1) : unit("conv1", "bn1", kStemChannels, 3, 7, 2);
    int64_t in = kStemChannels;
    for (int64_t stage = 0; stage < kStages; ++stage) {
      for (int64_t block = 0; block < blocks[stage]; ++block) {
        const int64_t width = kStemChannels << stage, out = width * kExpansion;
        const int64_t stride = stage > 0 && block == 0 ? 2 : 1;
        const std::string name = concat("layer", stage + 1, ".", block, ".");
        Bottleneck b;
        b.conv1 = unit(name + "conv1", name + "bn1", width, in, 1, 1);
        b.conv2 = unit(name + "conv2", name + "bn2", width, width, 3, stride);
        b.conv3 = unit(name + "conv3", name + "bn3", out, width, 1, 1);
        if (block == 0) b.downsample = unit(name + "downsample.0", name + "downsample.1", out, in, 1, stride);
        blocks_.push_back(std::move(b));
        in = out;
      }
    }
    fc_ = linear("fc", config.classes, in);
    declared();
  }

  int64_t least_batch() const override { return config().image_size > reduction() ? 1 : 2; }

  Tensor forward(const Tensor& images, const Pass& pass) override {
    const Statistics statistics = pass.statistics;
    const bool frozen = statistics == Statistics::running;
    if (frozen && !folded_) fold();
    Tensor x = apply(stem_, ops::cast(images, config().compute), statistics, true);
    if (!small()) x = ops::max_pool(x);
    for (const Bottleneck& b : blocks_) {
      const Tensor shortcut = b.downsample ? apply(*b.downsample, x, statistics, false) : x;
      Tensor y = apply(b.conv1, x, statistics, true);
      y = apply(b.conv2, y, statistics, true);
      x = apply(b.conv3, y, statistics, true, shortcut);
    }
    const Tensor features = ops::cast(ops::global_average_pool(x), DType::f32);
    return ops::linear(features, fc_.weight, {fc_.bias, {}, {}, ops::Activation::none});
  }

  void changed() override { folded_ = false; }

 private:
  bool small() const { return config().stem == Stem::cifar; }
  /// Of height and width, rounded up at each halving.
  int64_t reduction() const { return small() ? 8 : 32; }

  Unit unit(const std::string& conv_name, const std::string& norm_name, int64_t out, int64_t in, int64_t kernel,
            int64_t stride) {
    Unit u;
    u.weight = conv(conv_name, out, in, kernel);
    u.norm = batch_norm(norm_name, out);
    u.how = Conv2d::same(kernel, stride);
    return u;
  }

  Tensor apply(const Unit& u, const Tensor& x, Statistics statistics, bool relu, const Tensor& residual = {}) const {
    if (statistics == Statistics::running) {
      return ops::conv2d(x, u.folded, u.how,
                         {u.folded_bias, {}, residual, relu ? ops::Activation::relu : ops::Activation::none});
    }
    // Training keeps the master weights in f32 beside activations of either type: their gradients are f32, too.
    const Tensor weight = Tape::current() != nullptr ? u.weight : ops::cast(u.weight, config().compute);
    return ops::batch_norm(ops::conv2d(x, weight, u.how), u.norm, statistics, relu, residual);
  }

  void fold() {
    stem_.fold(config().compute);
    for (Bottleneck& b : blocks_) {
      b.conv1.fold(config().compute);
      b.conv2.fold(config().compute);
      b.conv3.fold(config().compute);
      if (b.downsample) b.downsample->fold(config().compute);
    }
    folded_ = true;
  }

  Unit stem_;
  std::vector<Bottleneck> blocks_;
  Linear fc_;
  bool folded_ = false;
};

constexpr int64_t kResNet50[kStages] = {3, 4, 6, 3};
constexpr int64_t kResNet101[kStages] = {3, 4, 23, 3};

}  // namespace

std::unique_ptr<Classifier> make_resnet50(const ClassifierConfig& config) {
  return std::make_unique<ResNet>(config, kResNet50);
}
std::unique_ptr<Classifier> make_resnet101(const ClassifierConfig& config) {
  return std::make_unique<ResNet>(config, kResNet101);
}

}  // namespace motley
