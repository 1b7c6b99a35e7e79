// SPDX-License-Identifier: Apache-2.0
// Test support: a classifier beside the float64 results of its original, for one batch of eight images.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "models/classifier.h"
#include "support/golden.h"

namespace motley::test {

/// The golden of an architecture, with 10 classes of 32x32 pixels.
class ClassifierGolden {
 public:
  /// Trained without what is random: dropout and stochastic depth are 0 where the architecture has them.
  explicit ClassifierGolden(const std::string& architecture, std::optional<double> dropout = {},
                            std::optional<double> stochastic_depth = {});

  const Golden& golden() const { return golden_; }
  /// A network with the golden's weights; rounded: as it trained with them. The generator had cast its network to bfloat16 and back
  /// before, so that weights and buffers were fill() so rounded.
  std::unique_ptr<Classifier> filled(DType compute = DType::f32, bool rounded = false) const;
  /// (8, 32, 32, 3)
  Tensor images() const;

  /// Tensors and parameters by name, order and shape, and how many parameters there are.
  void check_tensors(int64_t parameters) const;
  /// Logits with running statistics in both precisions: at most twice PyTorch's own error.
  void check_inference() const;

  /// What may be wrong: a loss by an absolute amount, at each of three steps; logits, of the largest one; norms, of a gradient's norm;
  /// elements, of the root mean square of its gradient; parameters after three steps, in their root mean square.
  struct Bounds {
    double logits, loss[3], norm, element, parameters_after, logits_after;
  };
  /// Training logits, loss, all gradients, three AdamW steps, logits after.
  void check_training(const Bounds& bounds) const;

 private:
  ClassifierConfig config_;
  Golden golden_;
};

/// Mean and standard deviation of a fresh tensor are those of its distribution, within five standard errors.
void check_initialisation(const Classifier& classifier);

}  // namespace motley::test
