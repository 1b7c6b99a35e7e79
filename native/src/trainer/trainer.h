// SPDX-License-Identifier: Apache-2.0
// Supervised training of a classifier: augmented batches, forward, backward, AdamW. Everything random is a pure function of
// (seed, epoch, image), and every sum has a fixed order: the same seed gives the same weights.
#pragma once

#include <functional>
#include <vector>

#include "kernels/cpu/augment.h"
#include "kernels/cpu/cross_entropy.h"
#include "models/classifier.h"
#include "ops/tape.h"
#include "trainer/images.h"

namespace motley {

struct TrainerConfig {
  int64_t batch = 128;
  int64_t held_out = 0;  // images that are drawn by the seed and never trained on
  bool drop_last = false;
  bool head_only = false;  // the rest stays as it is, and computes as in evaluation
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0.01;
  double label_smoothing = 0;
  double mixup = 0;                      // alpha of the Beta distribution of the share; 0: none
  double ema_decay = 0;                  // of the moving average of the weights; 0: none
  double clip_norm = 0;                  // of all gradients together; 0: not clipped
  int rand_ops = 0, rand_magnitude = 9;  // RandAugment: operations on each image, of 31 magnitudes
  kernels::Augmentation augmentation;
  float mean[3] = {0, 0, 0}, std[3] = {1, 1, 1};
  uint64_t seed = 0;
};

/// What a step or a run of steps saw; sums over images.
struct TrainingSums {
  double loss = 0;  // of mixed images against both labels; right is then the label of the larger share
  int64_t correct = 0, images = 0, steps = 0;
};

class Trainer {
 public:
  enum class State { gradient, exp_avg, exp_avg_sq, average };
  /// After each step: steps done, steps of this call, that step's sums. True cancels.
  using Progress = std::function<bool(int64_t done, int64_t total, const TrainingSums& step)>;

  /// The classifier must outlive the trainer.
  Trainer(Classifier& classifier, const TrainerConfig& config);

  /// Steps [first, first + count) of an epoch, cut at its end. `sums` is kept up to date, also when an exception leaves.
  /// Returns false if progress cancelled.
  bool run(const Images& images, int64_t epoch, int64_t first, int64_t count, double learning_rate, TrainingSums& sums,
           const Progress& progress);
  /// Images that are trained on of a set of n, and the steps of an epoch over them.
  int64_t trained_on(int64_t n) const { return n - config_.held_out; }
  int64_t steps_per_epoch(int64_t n) const;

  /// One step on inputs (n, S, S, 3) f32. learning_rate NaN: gradients only; nothing else changes. `logits` if not null.
  TrainingSums step(const Tensor& inputs, const kernels::Targets& targets, double learning_rate, Tensor* logits = nullptr);

  /// Entries [first, first + n) of the epoch's order as the network sees them: (n, S, S, 3) and their labels.
  Tensor batch(const Images& images, int64_t epoch, int64_t first, int64_t n, std::vector<int32_t>& labels);

  /// Whether the tensor is trained: a parameter, of the head if that alone is.
  bool trains(const ClassifierTensor& t) const { return config_.head_only ? t.head : t.trainable; }
  /// State of the trained tensor `index` of the classifier, in our layout; gradients are as before they are clipped. The average
  /// is undefined without a decay.
  const Tensor& state(size_t index, State which) const;
  int64_t steps() const { return steps_; }
  void set_steps(int64_t steps) { steps_ = steps; }
  const Classifier& classifier() const { return classifier_; }

 private:
  struct Slot {
    Tensor parameter, gradient, exp_avg, exp_avg_sq, average;
  };
  const std::vector<int32_t>& order(int64_t epoch, int64_t n);
  Tensor forward(const Tensor& inputs, bool gradients_only);
  void rand_augment(int64_t epoch, int64_t image, float* inputs) const;
  double gradient_scale() const;
  void update(double learning_rate);
  void update_average();

  Classifier& classifier_;
  TrainerConfig config_;
  Tape tape_;
  std::vector<Slot> slots_;  // by tensor index; undefined where not trained
  int64_t steps_ = 0;
  int64_t ordered_epoch_ = -1;
  std::vector<int32_t> order_;
  std::vector<float> table_;  // pixel -> input
};

}  // namespace motley
