// SPDX-License-Identifier: Apache-2.0
// The ResNets that He et al. 2015 made for CIFAR (section 4.2): three stages of basic blocks with 16, 32 and 64 channels, shortcuts
// without parameters (option A: every second pixel, channels padded with zeros). Tensors are named as in
// akamaster/pytorch_resnet_cifar10, so that its published weights can be imported.
#include <cmath>

#include "models/architectures.h"
#include "models/conv_norm.h"
#include "ops/cast.h"
#include "ops/pooling.h"

namespace motley {
namespace {

constexpr int64_t kStages = 3, kFirstChannels = 16;
constexpr int64_t kReduction = 4;  // of height and width, rounded up at each halving

struct Basic {
  ConvNorm conv1, conv2;
  bool widens;
};

class CifarResNet : public Classifier {
 public:
  CifarResNet(const ClassifierConfig& config, int64_t blocks) : Classifier(config) {
    stem_ = unit("conv1", "bn1", kFirstChannels, 3, 1);
    int64_t in = kFirstChannels;
    for (int64_t stage = 0; stage < kStages; ++stage) {
      for (int64_t block = 0; block < blocks; ++block) {
        const int64_t out = kFirstChannels << stage;
        const bool widens = out != in;
        const std::string name = concat("layer", stage + 1, ".", block, ".");
        Basic b{unit(name + "conv1", name + "bn1", out, in, widens ? 2 : 1), {}, widens};
        b.conv2 = unit(name + "conv2", name + "bn2", out, out, 1);
        blocks_.push_back(std::move(b));
        in = out;
      }
    }
    Linear head;
    head.weight = parameter("linear.weight", {config.classes, in}, kaiming(in));
    head.bias = parameter("linear.bias", {config.classes}, Initial::torch_linear(in));
    declared(head);
  }

  int64_t least_batch() const override { return config().image_size > kReduction ? 1 : 2; }

  Tensor features(const Tensor& images, const Pass& pass) override {
    const ops::Statistics statistics = pass.statistics;
    if (statistics == ops::Statistics::running && !folded_) fold();
    constexpr auto relu = ops::Activation::relu;
    Tensor x = stem_(ops::cast(images, config().compute), statistics, relu);
    for (const Basic& b : blocks_) {
      const Tensor shortcut = b.widens ? ops::thinned(x, 2 * x.size(3)) : x;
      x = b.conv2(b.conv1(x, statistics, relu), statistics, relu, shortcut);
    }
    return ops::cast(ops::global_average_pool(x), DType::f32);
  }

  void changed() override { folded_ = false; }

 private:
  static Initial kaiming(int64_t fan_in) { return Initial::normal(std::sqrt(2.0 / static_cast<double>(fan_in))); }

  ConvNorm unit(const std::string& conv_name, const std::string& norm_name, int64_t out, int64_t in, int64_t stride) {
    const Tensor weight = parameter(conv_name + ".weight", {out, in, 3, 3}, kaiming(9 * in));
    return {weight, batch_norm(norm_name, out), ops::Conv2d::same(3, stride), config().compute};
  }

  void fold() {
    stem_.fold();
    for (Basic& b : blocks_) {
      b.conv1.fold();
      b.conv2.fold();
    }
    folded_ = true;
  }

  ConvNorm stem_;
  std::vector<Basic> blocks_;
  bool folded_ = false;
};

}  // namespace

std::unique_ptr<Classifier> make_resnet20(const ClassifierConfig& config) { return std::make_unique<CifarResNet>(config, 3); }
std::unique_ptr<Classifier> make_resnet56(const ClassifierConfig& config) { return std::make_unique<CifarResNet>(config, 9); }

}  // namespace motley
