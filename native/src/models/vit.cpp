// SPDX-License-Identifier: Apache-2.0
// The Vision Transformer (Dosovitskiy et al. 2020) as vit-pytorch has it: patches with a layer norm on both sides of their
// embedding, pre-norm blocks, projections of queries, keys and values without bias, a class token, and a linear head on it.
#include "models/architectures.h"
#include "ops/attention.h"
#include "ops/cast.h"
#include "ops/linear.h"
#include "ops/normalise.h"
#include "ops/tape.h"
#include "ops/tokens.h"

namespace motley {
namespace {

constexpr int64_t kHead = 64;  // size of a head
constexpr double kEps = 1e-5;

struct Sizes {
  int64_t patch, width, depth, heads, hidden;
};

class Vit : public Classifier {
 public:
  Vit(const ClassifierConfig& config, const Sizes& sizes) : Classifier(config), sizes_(sizes) {
    const int64_t patch = sizes.patch, width = sizes.width, inner = sizes.heads * kHead, pixels = patch * patch * 3;
    require(config.image_size > 0 && config.image_size % patch == 0, config.architecture, " cuts images into patches of ", patch, "x",
            patch, ": image size ", config.image_size, " is not a multiple of ", patch);
    const int64_t across = config.image_size / patch;
    class_token_ = parameter("cls_token", {1, width}, Initial::normal(1));
    positions_ = parameter("pos_embedding", {1 + across * across, width}, Initial::normal(1));
    pixel_norm_ = layer_norm("to_patch_embedding.1", pixels);
    embedding_ = dense("to_patch_embedding.2", width, pixels);
    patch_norm_ = layer_norm("to_patch_embedding.3", width);
    norm_ = layer_norm("transformer.norm", width);
    for (int64_t i = 0; i < sizes.depth; ++i) {
      const std::string name = concat("transformer.layers.", i, ".");
      Block b;
      b.norm = layer_norm(name + "0.norm", width);
      b.qkv = {parameter(name + "0.to_qkv.weight", {3 * inner, width}, Initial::torch_linear(width)), {}, {}};
      b.out = dense(name + "0.to_out.0", width, inner);
      b.hidden_norm = layer_norm(name + "1.net.0", width);
      b.hidden = dense(name + "1.net.1", sizes.hidden, width);
      b.back = dense(name + "1.net.4", width, sizes.hidden);
      blocks_.push_back(std::move(b));
    }
    declared(linear("mlp_head", config.classes, width));
  }

  Tensor features(const Tensor& images, const Pass& pass) override {
    if (Tape::current() == nullptr && !packed_) pack();
    Tensor x = normalised(ops::patches(ops::cast(images, config().compute), sizes_.patch), pixel_norm_);
    x = ops::embed_tokens(normalised(apply(embedding_, x), patch_norm_), class_token_, positions_);
    const Dropout dropout{config().dropout.value_or(0), pass.stochastic};
    for (size_t i = 0; i < blocks_.size(); ++i) x = block(i, x, dropout);
    return ops::cast(normalised(x, norm_), DType::f32);
  }

  void changed() override {
    if (packed_) for_each_dense([](Dense& d) { d.packed = {}; });
    packed_ = false;
  }

 private:
  struct Dense {
    Tensor weight, bias;
    ops::Weight packed;  // for inference
  };
  struct Block {
    Norm norm;
    Dense qkv, out;
    Norm hidden_norm;
    Dense hidden, back;
  };
  struct Dropout {
    double p;
    std::optional<ops::Randomness> random;
    bool on() const { return random && p > 0; }
  };

  Dense dense(const std::string& name, int64_t out, int64_t in) {
    const Linear layer = linear(name, out, in);
    return {layer.weight, layer.bias, {}};
  }

  // Of the last block the head sees the class token alone: once every token has been attended to, the others are left behind.
  Tensor block(size_t i, Tensor x, const Dropout& dropout) const {
    const Block& b = blocks_[i];
    const auto layer = static_cast<uint32_t>(4 * i);  // its random ones
    Tensor h = ops::self_attention(apply(b.qkv, normalised(x, b.norm)), sizes_.heads, attention_factors(x, dropout, layer));
    if (i + 1 == blocks_.size()) {
      h = ops::first_tokens(h);
      x = ops::first_tokens(x);
    }
    x = add(x, b.out, h, dropout, layer + 1);
    h = activated(b.hidden, normalised(x, b.hidden_norm));
    if (dropout.on()) h = ops::dropout(h, dropout.p, dropout.random, layer + 2);
    return add(x, b.back, h, dropout, layer + 3);
  }

  static Tensor normalised(const Tensor& x, const Norm& norm) { return ops::layer_norm(x, kEps, norm.weight, norm.bias); }

  // Training takes the master weights in f32 beside activations of either type: their gradients are f32, too.
  static Tensor apply(const Dense& d, const Tensor& x, const Tensor& residual = {}, ops::Activation activation = ops::Activation::none) {
    const ops::Epilogue epilogue{d.bias, {}, residual, activation};
    return Tape::current() != nullptr ? ops::linear(x, d.weight, epilogue) : ops::linear(x, d.packed, epilogue);
  }

  // GELU's gradient needs what went into it.
  static Tensor activated(const Dense& d, const Tensor& x) {
    if (Tape::current() == nullptr) return apply(d, x, {}, ops::Activation::gelu);
    return ops::activate(apply(d, x), ops::Activation::gelu);
  }

  // x + dropout(d(h))
  static Tensor add(const Tensor& x, const Dense& d, const Tensor& h, const Dropout& dropout, uint32_t layer) {
    return dropout.on() ? ops::dropout(apply(d, h), dropout.p, dropout.random, layer, x) : apply(d, h, x);
  }

  Tensor attention_factors(const Tensor& x, const Dropout& dropout, uint32_t layer) const {
    if (!dropout.on()) return {};
    return ops::dropout_factors({x.size(0), sizes_.heads, x.size(1), x.size(1)}, dropout.p, *dropout.random, layer);
  }

  template <typename Body>
  void for_each_dense(const Body& body) {
    body(embedding_);
    for (Block& b : blocks_) {
      for (Dense* d : {&b.qkv, &b.out, &b.hidden, &b.back}) body(*d);
    }
  }

  void pack() {
    for_each_dense([this](Dense& d) { d.packed = ops::Weight(d.weight.to(config().compute)); });
    packed_ = true;
  }

  Sizes sizes_;
  Tensor class_token_, positions_;
  Norm pixel_norm_, patch_norm_, norm_;
  Dense embedding_;
  std::vector<Block> blocks_;
  bool packed_ = false;
};

constexpr Sizes kBase{16, 768, 12, 12, 3072}, kBasePatch4{4, 768, 12, 12, 3072}, kSmall{16, 448, 12, 7, 1344};

}  // namespace

std::unique_ptr<Classifier> make_vit_b(const ClassifierConfig& config) { return std::make_unique<Vit>(config, kBase); }
std::unique_ptr<Classifier> make_vit_b_p4(const ClassifierConfig& config) { return std::make_unique<Vit>(config, kBasePatch4); }
std::unique_ptr<Classifier> make_vit_s(const ClassifierConfig& config) { return std::make_unique<Vit>(config, kSmall); }

}  // namespace motley
