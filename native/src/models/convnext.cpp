// SPDX-License-Identifier: Apache-2.0
// ConvNeXt (Liu et al. 2022) as torchvision has it: a 4x4 stem of stride 4, four stages of blocks (7x7 depthwise, LayerNorm, a
// hidden layer four times as wide with GELU, layer scale, stochastic depth), a LayerNorm and a 2x2 convolution of stride 2 between.
#include <vector>

#include "models/architectures.h"
#include "models/layers.h"
#include "ops/branch.h"
#include "ops/cast.h"
#include "ops/depthwise.h"
#include "ops/normalise.h"
#include "ops/pooling.h"
#include "ops/tape.h"

namespace motley {
namespace {

constexpr int64_t kStages = 4, kKernel = 7, kWider = 4;
constexpr int64_t kStemSize = 4, kHalving = 2;
constexpr int64_t kLeastImage = kStemSize * kHalving * kHalving * kHalving;
constexpr double kEps = 1e-6, kLayerScale = 1e-6, kDeviation = 0.02;

struct Size {
  int64_t blocks[kStages], widths[kStages];
  double stochastic_depth;  // of the last block; falls to 0 at the first
};
constexpr Size kSmall = {{3, 3, 27, 3}, {96, 192, 384, 768}, 0.4};
constexpr Size kBase = {{3, 3, 27, 3}, {128, 256, 512, 1024}, 0.5};

class ConvNeXt : public Classifier {
 public:
  ConvNeXt(const ClassifierConfig& config, const Size& size)
      : Classifier(config), stochastic_depth_(config.stochastic_depth.value_or(size.stochastic_depth)) {
    require(config.image_size >= kLeastImage, config.architecture, " needs images of at least ", kLeastImage, " x ", kLeastImage,
            " pixels, which it divides by ", kLeastImage, ", got image size ", config.image_size);
    stem_.conv = conv_layer("features.0.0", size.widths[0], 3, kStemSize);
    stem_.norm = layer_norm("features.0.1", size.widths[0]);
    for (int64_t stage = 0; stage < kStages; ++stage) {
      const int64_t width = size.widths[stage];
      Stage s;
      if (stage > 0) {
        const std::string name = concat("features.", 2 * stage);
        s.down.norm = layer_norm(name + ".0", size.widths[stage - 1]);
        s.down.conv = conv_layer(name + ".1", width, size.widths[stage - 1], kHalving);
      }
      for (int64_t i = 0; i < size.blocks[stage]; ++i) s.blocks.push_back(block(concat("features.", 2 * stage + 1, ".", i, "."), width));
      stages_.push_back(std::move(s));
    }
    norm_ = layer_norm("classifier.0", size.widths[kStages - 1]);
    declared(dense("classifier.2", config.classes, size.widths[kStages - 1]));
  }

  Tensor features(const Tensor& images, const Pass& pass) override {
    const bool frozen = Tape::current() == nullptr && !pass.stochastic;
    if (frozen && !frozen_) freeze();
    Tensor x = convolve(stem_.conv, ops::cast(images, config().compute), kStemSize, frozen);
    x = ops::layer_norm(x, kEps, stem_.norm.weight, stem_.norm.bias);
    uint32_t layer = 0;
    for (const Stage& s : stages_) {
      if (s.down.conv.weight.defined()) {
        x = convolve(s.down.conv, ops::layer_norm(x, kEps, s.down.norm.weight, s.down.norm.bias), kHalving, frozen);
      }
      for (const Block& b : s.blocks) {
        x = frozen ? inferred(b, x) : trained(b, x, ops::Kept::draw(x.size(0), depth_at(layer), pass.stochastic, layer));
        ++layer;
      }
    }
    return ops::layer_norm(ops::cast(ops::global_average_pool(x), DType::f32), kEps, norm_.weight, norm_.bias);
  }

  void changed() override { frozen_ = false; }

 private:
  // A convolution or dense layer; packed: as inference multiplies by it.
  struct Weights : Linear {
    Layer packed;
  };
  struct Resized {
    Weights conv;
    Norm norm;
  };
  struct Block {
    Tensor layer_scale;
    Linear depthwise;
    Norm norm;
    Weights widen, narrow;  // packed narrow: times the layer scale
  };
  struct Stage {
    Resized down;  // undefined in the first
    std::vector<Block> blocks;
  };

  Weights parameters(const std::string& name, Shape shape) {
    Weights p;
    const int64_t out = shape[0];
    p.weight = parameter(name + ".weight", std::move(shape), Initial::normal(kDeviation));
    p.bias = parameter(name + ".bias", {out}, Initial::constant(0));
    return p;
  }
  Weights conv_layer(const std::string& name, int64_t out, int64_t in, int64_t kernel) {
    return parameters(name, {out, in, kernel, kernel});
  }
  Weights dense(const std::string& name, int64_t out, int64_t in) { return parameters(name, {out, in}); }

  Block block(const std::string& name, int64_t width) {
    Block b;
    b.layer_scale = parameter(name + "layer_scale", {width, 1, 1}, Initial::constant(kLayerScale));
    b.depthwise = conv_layer(name + "block.0", width, 1, kKernel);
    b.norm = layer_norm(name + "block.2", width);
    b.widen = dense(name + "block.3", kWider * width, width);
    b.narrow = dense(name + "block.5", width, kWider * width);
    ++blocks_;
    return b;
  }

  double depth_at(int64_t block) const { return stochastic_depth_ * static_cast<double>(block) / static_cast<double>(blocks_ - 1); }

  static Tensor convolve(const Weights& p, const Tensor& x, int64_t stride, bool frozen) {
    ops::Conv2d how;
    how.stride = stride;
    ops::Epilogue epilogue;
    epilogue.bias = p.bias;
    return frozen ? ops::conv2d(x, p.packed.weight, how, epilogue) : ops::conv2d(x, p.weight, how, epilogue);
  }

  static Tensor normalised(const Block& b, const Tensor& x) {
    return ops::layer_norm(ops::depthwise_conv2d(x, b.depthwise.weight, 1, b.depthwise.bias), kEps, b.norm.weight, b.norm.bias);
  }

  static Tensor trained(const Block& b, const Tensor& x, const ops::Kept& kept) {
    if (kept.none()) return x;
    const auto dense = [](const Weights& p, const Tensor& input) {
      ops::Epilogue epilogue;
      epilogue.bias = p.bias;
      return ops::linear(input, p.weight, epilogue);
    };
    const Tensor hidden = ops::activate(dense(b.widen, normalised(b, ops::take(x, kept))), ops::Activation::gelu);
    return ops::add_branch(x, dense(b.narrow, hidden), b.layer_scale, kept);
  }

  static Tensor inferred(const Block& b, const Tensor& x) {
    const Tensor hidden = apply(b.widen.packed, normalised(b, x), {}, ops::Activation::gelu);
    return apply(b.narrow.packed, hidden, x);
  }

  void freeze() {
    const DType dtype = config().compute;
    stem_.conv.packed = {ops::Weight(stem_.conv.weight.to(dtype)), stem_.conv.bias};
    for (Stage& s : stages_) {
      if (Weights& conv = s.down.conv; conv.weight.defined()) conv.packed = {ops::Weight(conv.weight.to(dtype)), conv.bias};
      for (Block& b : s.blocks) {
        b.widen.packed = {ops::Weight(b.widen.weight.to(dtype)), b.widen.bias};
        b.narrow.packed = {ops::Weight(scaled(b.narrow.weight, b.layer_scale).to(dtype)), scaled(b.narrow.bias, b.layer_scale)};
      }
    }
    frozen_ = true;
  }

  // w (O, ...) with every output times its scale
  static Tensor scaled(const Tensor& w, const Tensor& scale) {
    const Tensor y = Tensor::empty(w.shape());
    const int64_t per = w.numel() / scale.numel();
    for (int64_t i = 0; i < w.numel(); ++i) y.data<float>()[i] = w.data<float>()[i] * scale.data<float>()[i / per];
    return y;
  }

  const double stochastic_depth_;
  int64_t blocks_ = 0;
  Resized stem_;
  std::vector<Stage> stages_;
  Norm norm_;
  bool frozen_ = false;
};

}  // namespace

std::unique_ptr<Classifier> make_convnext_small(const ClassifierConfig& config) { return std::make_unique<ConvNeXt>(config, kSmall); }
std::unique_ptr<Classifier> make_convnext_base(const ClassifierConfig& config) { return std::make_unique<ConvNeXt>(config, kBase); }

}  // namespace motley
