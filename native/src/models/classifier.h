// SPDX-License-Identifier: Apache-2.0
// What every image classifier is: named tensors in torchvision's order, and a forward pass written once over ops.
// A new architecture is one file: a subclass that declares its tensors in its constructor and implements `forward`, and
// one line in the table of classifier.cpp.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "libtorch/tensor.h"
#include "models/parameters.h"
#include "ops/batch_norm.h"

namespace motley {

/// Distribution of a fresh tensor: constant, N(0, scale^2) or U(-scale, scale).
struct Initial {
  enum class Kind { constant, normal, uniform } kind;
  double scale;
};

struct ClassifierTensor {
  std::string name;  // torchvision's
  Shape shape;       // torchvision's, e.g. (O, I, KH, KW)
  Tensor value;      // ours, e.g. (O, KH, KW, I): f32, or i64 for counters
  bool trainable;
  Initial initial;
};

struct ClassifierConfig {
  std::string architecture;
  int64_t classes = 0, image_size = 0;
  DType compute = DType::f32;  // f32 or bf16: what activations are stored as
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

  /// images (N, S, S, 3) f32, normalised -> logits (N, classes) f32. Differentiable unless statistics is running.
  /// Without a tape, after one call with the same statistics since the last change, several threads may call it at once.
  virtual Tensor forward(const Tensor& images, ops::Statistics statistics) = 0;
  /// Whether a training batch may be a single image; not where BatchNorm would find but one value of a channel in it.
  virtual bool trains_on_one_image() const = 0;
  /// To be called after tensor values changed: forms derived from them are stale.
  virtual void changed() = 0;

  /// Draws every tensor: Philox by (seed, index of the tensor).
  void initialise(uint64_t seed);
  /// Takes every tensor from `tensors`; missing, extra or mis-shaped ones are one INVALID_ARGUMENT. All-or-nothing.
  void load(const NamedTensors& tensors);
  /// Tensor `index` as float32 in torchvision's layout.
  void read(size_t index, float* values) const;

 protected:
  // Declarations, in torchvision's order. Initialised as torchvision's ResNet does.
  Tensor conv(const std::string& name, int64_t out, int64_t in, int64_t kernel);  // kaiming normal, fan out
  ops::BatchNorm batch_norm(const std::string& name, int64_t channels);
  struct Linear {
    Tensor weight, bias;
  };
  Linear linear(const std::string& name, int64_t out, int64_t in);  // torch's default
  /// Ends the declarations.
  void declared();

 private:
  Tensor declare(std::vector<ClassifierTensor>& to, const std::string& name, Shape shape, Initial initial, DType dtype,
                 bool trainable);

  ClassifierConfig config_;
  std::vector<ClassifierTensor> tensors_;
  std::vector<ClassifierTensor> buffers_;  // until declared()
};

/// Throws INVALID_ARGUMENT naming the known architectures.
std::unique_ptr<Classifier> make_classifier(const ClassifierConfig& config);

}  // namespace motley
