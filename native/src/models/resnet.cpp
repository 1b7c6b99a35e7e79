// SPDX-License-Identifier: Apache-2.0
// ResNet with bottleneck blocks (He et al. 2015), as torchvision has it: the stride sits in the 3x3 convolution ("v1.5"), and the
// ImageNet stem (7x7 stride 2, 3x3 maximum stride 2) is kept at every image size unless the other one is asked for.
#include <optional>

#include "models/architectures.h"
#include "models/conv_norm.h"
#include "ops/cast.h"
#include "ops/pooling.h"

namespace motley {
namespace {

constexpr int64_t kStemChannels = 64, kExpansion = 4;
constexpr int64_t kStages = 4;

struct Bottleneck {
  ConvNorm conv1, conv2, conv3;
  std::optional<ConvNorm> downsample;
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
    declared(linear("fc", config.classes, in));
  }

  int64_t least_batch() const override { return config().image_size > reduction() ? 1 : 2; }

  Tensor features(const Tensor& images, const Pass& pass) override {
    const ops::Statistics statistics = pass.statistics;
    if (statistics == ops::Statistics::running && !folded_) fold();
    constexpr auto relu = ops::Activation::relu;
    Tensor x = stem_(ops::cast(images, config().compute), statistics, relu);
    if (!small()) x = ops::max_pool(x);
    for (const Bottleneck& b : blocks_) {
      const Tensor shortcut = b.downsample ? (*b.downsample)(x, statistics, ops::Activation::none) : x;
      Tensor y = b.conv1(x, statistics, relu);
      y = b.conv2(y, statistics, relu);
      x = b.conv3(y, statistics, relu, shortcut);
    }
    return ops::cast(ops::global_average_pool(x), DType::f32);
  }

  void changed() override { folded_ = false; }

 private:
  bool small() const { return config().stem == Stem::cifar; }
  /// Of height and width, rounded up at each halving.
  int64_t reduction() const { return small() ? 8 : 32; }

  ConvNorm unit(const std::string& conv_name, const std::string& norm_name, int64_t out, int64_t in, int64_t kernel, int64_t stride) {
    const Tensor weight = conv(conv_name, out, in, kernel);
    return {weight, batch_norm(norm_name, out), ops::Conv2d::same(kernel, stride), config().compute};
  }

  void fold() {
    stem_.fold();
    for (Bottleneck& b : blocks_) {
      for (ConvNorm* unit : {&b.conv1, &b.conv2, &b.conv3}) unit->fold();
      if (b.downsample) b.downsample->fold();
    }
    folded_ = true;
  }

  ConvNorm stem_;
  std::vector<Bottleneck> blocks_;
  bool folded_ = false;
};

constexpr int64_t kResNet50[kStages] = {3, 4, 6, 3};
constexpr int64_t kResNet101[kStages] = {3, 4, 23, 3};

}  // namespace

std::unique_ptr<Classifier> make_resnet50(const ClassifierConfig& config) { return std::make_unique<ResNet>(config, kResNet50); }
std::unique_ptr<Classifier> make_resnet101(const ClassifierConfig& config) { return std::make_unique<ResNet>(config, kResNet101); }

}  // namespace motley
