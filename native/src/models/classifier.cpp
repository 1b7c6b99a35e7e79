// SPDX-License-Identifier: Apache-2.0
#include "models/classifier.h"

#include <cmath>
#include <cstring>

#include "kernels/philox.h"
#include "libtorch/parallel.h"
#include "models/architectures.h"
#include "models/layout.h"
#include "ops/graph.h"
#include "ops/linear.h"
#include "ops/tape.h"

namespace motley {
namespace {

// What of ClassifierConfig an architecture has beside its own.
enum Has : int { kNothing = 0, kStem = 1, kDropout = 2, kStochasticDepth = 4 };

struct Architecture {
  const char* name;
  std::unique_ptr<Classifier> (*make)(const ClassifierConfig& config);
  int has;
};

constexpr Architecture kArchitectures[] = {
    {"resnet50", make_resnet50, kStem},
    {"resnet101", make_resnet101, kStem},
    {"mobilenet_v3_small", make_mobilenet_v3_small, kDropout},
    {"convnext_small", make_convnext_small, kStochasticDepth},
    {"convnext_base", make_convnext_base, kStochasticDepth},
    {"vit_b", make_vit_b, kDropout},
    {"vit_b_p4", make_vit_b_p4, kDropout},
    {"vit_s", make_vit_s, kDropout},
    {"resnet20", make_resnet20, kNothing},
    {"resnet56", make_resnet56, kNothing},
};

void check(const Architecture& a, const ClassifierConfig& config) {
  require(config.stem == Stem::imagenet || (a.has & kStem), a.name, " has no other stem than its own: the cifar stem is one of ResNets");
  require(!config.dropout || (a.has & kDropout), a.name, " has no dropout");
  require(!config.stochastic_depth || (a.has & kStochasticDepth), a.name, " has no stochastic depth");
}

// Four elements from each block of Philox words: element i depends on (seed, index, i) only.
void draw(const Initial& initial, uint64_t seed, size_t index, int64_t n, float* out) {
  parallel_for((n + 3) / 4, 1 << 12, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const uint64_t low = uint64_t{kernels::draws::kInitialise} << 32 | static_cast<uint64_t>(block);
      const kernels::Words words = kernels::philox(seed, low, index);
      double values[4] = {1, 1, 1, 1};
      if (initial.kind == Initial::Kind::normal) {
        kernels::box_muller(words.w[0], words.w[1], values[0], values[1]);
        kernels::box_muller(words.w[2], words.w[3], values[2], values[3]);
      } else if (initial.kind == Initial::Kind::uniform) {
        for (int i = 0; i < 4; ++i) values[i] = 2 * kernels::unit(words.w[i]) - 1;
      }
      for (int64_t i = 0; i < 4 && 4 * block + i < n; ++i) out[4 * block + i] = static_cast<float>(values[i] * initial.scale);
    }
  });
}

void assign(const ClassifierTensor& t, const float* values) {
  if (t.value.dtype() == DType::i64) {
    *t.value.data<int64_t>() = std::llround(values[0]);
  } else {
    to_channels_last(t.shape, values, t.value.data<float>());
  }
}

}  // namespace

Initial Initial::torch_linear(int64_t inputs) { return {Kind::uniform, 1 / std::sqrt(static_cast<double>(inputs))}; }

Tensor Classifier::logits(const Tensor& features) const {
  ops::Epilogue epilogue;
  epilogue.bias = head_.bias;
  return ops::linear(features, head_.weight, epilogue);
}

void Classifier::initialise(uint64_t seed) {
  std::vector<float> values;
  for (size_t i = 0; i < tensors_.size(); ++i) {
    values.resize(static_cast<size_t>(tensors_[i].value.numel()));
    draw(tensors_[i].initial, seed, i, tensors_[i].value.numel(), values.data());
    assign(tensors_[i], values.data());
  }
  changed();
}

void Classifier::load(const NamedTensors& named) {
  Parameters parameters(config_.architecture, named);
  std::vector<Tensor> taken;
  for (const ClassifierTensor& t : tensors_) taken.push_back(parameters.take(t.name, t.shape));
  parameters.finish();
  for (size_t i = 0; i < tensors_.size(); ++i) assign(tensors_[i], taken[i].data<float>());
  changed();
}

void Classifier::read(size_t index, float* values) const {
  const ClassifierTensor& t = tensors_.at(index);
  if (t.value.dtype() == DType::i64) {
    values[0] = static_cast<float>(*t.value.data<int64_t>());
  } else {
    to_channels_first(t.shape, t.value.data<float>(), values);
  }
}

Tensor Classifier::declare(std::vector<ClassifierTensor>& to, const std::string& name, Shape shape, Initial initial, DType dtype,
                           bool trainable) {
  Tensor value = Tensor::empty(channels_last_shape(shape), dtype);  // filled by initialise() or load()
  to.push_back({name, std::move(shape), value, trainable, initial});
  return value;
}

Tensor Classifier::parameter(const std::string& name, Shape shape, const Initial& initial) {
  return declare(tensors_, name, std::move(shape), initial, DType::f32, true);
}

Tensor Classifier::conv(const std::string& name, int64_t out, int64_t in, int64_t kernel) {
  const double fan_out = static_cast<double>(out * kernel * kernel);  // torch counts the outputs of all groups
  return parameter(name + ".weight", {out, in, kernel, kernel}, Initial::normal(std::sqrt(2 / fan_out)));
}

ops::BatchNorm Classifier::batch_norm(const std::string& name, int64_t channels) {
  const Initial one = Initial::constant(1), zero = Initial::constant(0);
  ops::BatchNorm norm;
  norm.weight = parameter(name + ".weight", {channels}, one);
  norm.bias = parameter(name + ".bias", {channels}, zero);
  norm.running_mean = declare(buffers_, name + ".running_mean", {channels}, zero, DType::f32, false);
  norm.running_var = declare(buffers_, name + ".running_var", {channels}, one, DType::f32, false);
  norm.batches = declare(buffers_, name + ".num_batches_tracked", {}, zero, DType::i64, false);
  return norm;
}

Classifier::Linear Classifier::linear(const std::string& name, int64_t out, int64_t in) {
  const Initial initial = Initial::torch_linear(in);
  Linear layer;
  layer.weight = parameter(name + ".weight", {out, in}, initial);
  layer.bias = parameter(name + ".bias", {out}, initial);
  return layer;
}

Classifier::Norm Classifier::layer_norm(const std::string& name, int64_t width) {
  Norm norm;
  norm.weight = parameter(name + ".weight", {width}, Initial::constant(1));
  norm.bias = parameter(name + ".bias", {width}, Initial::constant(0));
  return norm;
}

void Classifier::declared(const Linear& head) {
  head_ = head;
  for (ClassifierTensor& t : tensors_) t.head = t.value.id() == head.weight.id() || t.value.id() == head.bias.id();
  for (ClassifierTensor& buffer : buffers_) tensors_.push_back(std::move(buffer));
  buffers_.clear();
}

std::string graph_of(Classifier& classifier) {
  const int64_t size = classifier.config().image_size;
  const Tensor images = Tensor::zeros({1, size, size, 3});
  Graph graph;
  graph.name(images, "input");
  for (const ClassifierTensor& t : classifier.tensors()) graph.name(t.value, t.name);
  // Under a tape, though nothing is watched, models compute with their own tensors, not with forms derived for inference; batch
  // statistics for the same reason. Which a normalisation uses is no part of the graph.
  Tape tape;
  const Tape::Recording recording(tape);
  const Graph::Drawing drawing(graph);
  return graph.json(classifier.forward(images, {ops::Statistics::batch}));
}

std::vector<std::string> architectures() {
  std::vector<std::string> names;
  for (const Architecture& a : kArchitectures) names.push_back(a.name);
  return names;
}

std::unique_ptr<Classifier> make_classifier(const ClassifierConfig& config) {
  std::string known;
  for (const Architecture& a : kArchitectures) {
    if (config.architecture == a.name) {
      check(a, config);
      return a.make(config);
    }
    known += (known.empty() ? "" : ", ") + std::string(a.name);
  }
  throw Error(MOTLEY_INVALID_ARGUMENT, concat("unknown architecture \"", config.architecture, "\": expected one of ", known));
}

}  // namespace motley
