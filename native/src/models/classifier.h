// SPDX-License-Identifier: Apache-2.0
// What every image classifier is: named tensors in torchvision's order, and a forward pass written once over ops.
// A new architecture is one file: a subclass that declares its tensors in its constructor and implements `features`, and
// one line in the table of classifier.cpp.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libtorch/tensor.h"
#include "models/parameters.h"
#include "ops/batch_norm.h"
#include "ops/stochastic.h"

namespace motley {

/// Distribution of a fresh tensor: constant, N(0, scale^2) or U(-scale, scale).
struct Initial {
  enum class Kind { constant, normal, uniform } kind;
  double scale;

  static Initial constant(double value) { return {Kind::constant, value}; }
  static Initial normal(double deviation) { return {Kind::normal, deviation}; }
  /// U(-1 / sqrt(inputs), 1 / sqrt(inputs)): what torch gives the weights and biases of a linear layer.
  static Initial torch_linear(int64_t inputs);
};

struct ClassifierTensor {
  std::string name;  // torchvision's
  Shape shape;       // torchvision's, e.g. (O, I, KH, KW)
  Tensor value;      // ours, e.g. (O, KH, KW, I): f32, or i64 for counters
  bool trainable;
  Initial initial;
  bool head = false;  // of the layer that makes the logits
};

/// How a ResNet begins: 7x7 of stride 2 and a maximum of stride 2, or for small images 3x3 of stride 1 and no pooling.
enum class Stem { imagenet, cifar };

struct ClassifierConfig {
  std::string architecture;
  int64_t classes = 0, image_size = 0;
  DType compute = DType::f32;  // f32 or bf16: what activations are stored as
  Stem stem = Stem::imagenet;
  std::optional<double> dropout = {}, stochastic_depth = {};  // the architecture's own if not given
};

/// How a forward pass is made.
struct Pass {
  ops::Statistics statistics;                      // that BatchNorm normalises with
  std::optional<ops::Randomness> stochastic = {};  // of dropout and stochastic depth; off without it

  static Pass running() { return {ops::Statistics::running}; }
};

class Classifier {
 public:
  explicit Classifier(const ClassifierConfig& config) : config_(config) {}
  virtual ~Classifier() = default;
  Classifier(const Classifier&) = delete;
  Classifier& operator=(const Classifier&) = delete;

  const ClassifierConfig& config() const { return config_; }
  /// Parameters in torchvision's order, then buffers in torchvision's order.
  const std::vector<ClassifierTensor>& tensors() const { return tensors_; }

  /// images (N, S, S, 3) f32, normalised -> what the head sees, (N, F) f32. Differentiable unless statistics is running, which
  /// no tape may record. After one call with the same statistics since the last change, several threads may call it at once.
  virtual Tensor features(const Tensor& images, const Pass& pass) = 0;
  /// The head: features (N, F) -> logits (N, classes) f32. Differentiable.
  Tensor logits(const Tensor& features) const;
  Tensor forward(const Tensor& images, const Pass& pass) { return logits(features(images, pass)); }
  /// The fewest images of a training batch: 2 where BatchNorm would find but one value of a channel in a single image.
  virtual int64_t least_batch() const { return 1; }
  /// To be called after tensor values changed: forms derived from them are stale.
  virtual void changed() = 0;

  /// Draws every tensor: Philox by (seed, index of the tensor).
  void initialise(uint64_t seed);
  /// Takes every tensor from `tensors`; missing, extra or mis-shaped ones are one INVALID_ARGUMENT. All-or-nothing.
  void load(const NamedTensors& tensors);
  /// Tensor `index` as float32 in torchvision's layout.
  void read(size_t index, float* values) const;

 protected:
  // Declarations, in the order of the original's parameters(), with the distributions of its initialisation.
  Tensor parameter(const std::string& name, Shape shape, const Initial& initial);
  /// (out, in, kernel, kernel); in is that of a group
  Tensor conv(const std::string& name, int64_t out, int64_t in, int64_t kernel);  // kaiming normal, fan out
  ops::BatchNorm batch_norm(const std::string& name, int64_t channels);           // scale 1, offset 0
  struct Linear {
    Tensor weight, bias;
  };
  Linear linear(const std::string& name, int64_t out, int64_t in);  // torch's default
  struct Norm {
    Tensor weight, bias;
  };
  Norm layer_norm(const std::string& name, int64_t width);  // scale 1, offset 0
  /// Ends the declarations. The head, (classes, F), is to be the last that was declared.
  void declared(const Linear& head);

 private:
  Tensor declare(std::vector<ClassifierTensor>& to, const std::string& name, Shape shape, Initial initial, DType dtype, bool trainable);

  ClassifierConfig config_;
  Linear head_;
  std::vector<ClassifierTensor> tensors_;
  std::vector<ClassifierTensor> buffers_;  // until declared()
};

/// The graph of a classifier for one image (graph.h), with the names of its tensors and "input" for the image.
std::string graph_of(Classifier& classifier);

/// The names that make_classifier knows.
std::vector<std::string> architectures();

/// Throws INVALID_ARGUMENT naming the known architectures.
std::unique_ptr<Classifier> make_classifier(const ClassifierConfig& config);

}  // namespace motley
