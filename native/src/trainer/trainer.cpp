// SPDX-License-Identifier: Apache-2.0
#include "trainer/trainer.h"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/adamw.h"
#include "kernels/cpu/ema.h"
#include "kernels/cpu/gradient_norm.h"
#include "kernels/cpu/mixup.h"
#include "kernels/cpu/rand_augment.h"
#include "kernels/philox.h"
#include "libtorch/parallel.h"
#include "ops/loss.h"
#include "ops/work.h"

namespace motley {

Trainer::Trainer(Classifier& classifier, const TrainerConfig& config) : classifier_(classifier), config_(config), table_(256 * 3) {
  kernels::normalisation_table(config_.mean, config_.std, table_.data());
  for (const ClassifierTensor& t : classifier.tensors()) {
    Slot slot;
    if (trains(t)) {
      const Shape& shape = t.value.shape();
      slot = {t.value, Tensor::zeros(shape), Tensor::zeros(shape), Tensor::zeros(shape),
              config_.ema_decay > 0 ? Tensor::zeros(shape) : Tensor()};
      tape_.watch(slot.parameter, slot.gradient);
    }
    slots_.push_back(std::move(slot));
  }
}

int64_t Trainer::steps_per_epoch(int64_t n) const {
  const int64_t images = trained_on(n);
  return config_.drop_last ? images / config_.batch : (images + config_.batch - 1) / config_.batch;
}

const std::vector<int32_t>& Trainer::order(int64_t epoch, int64_t n) {
  if (epoch != ordered_epoch_ || static_cast<int64_t>(order_.size()) != trained_on(n)) {
    order_ = epoch_order(config_.seed, static_cast<uint64_t>(epoch), trained_on(n));
    if (config_.held_out > 0) {
      const std::vector<int32_t> kept = kept_images(config_.seed, n, config_.held_out);
      for (int32_t& i : order_) i = kept[static_cast<size_t>(i)];
    }
    ordered_epoch_ = epoch;
  }
  return order_;
}

Tensor Trainer::batch(const Images& images, int64_t epoch, int64_t first, int64_t n, std::vector<int32_t>& labels) {
  const int64_t size = classifier_.config().image_size;
  const int32_t* index = order(epoch, images.n).data() + first;
  const Tensor inputs = Tensor::empty({n, size, size, 3});
  const ops::Timed timed("augment", [&] {
    ops::Work work = ops::passing_work(inputs, {&inputs});
    work.bytes += n * images.height * images.width * 3;
    return work;
  });
  labels.resize(static_cast<size_t>(n));
  parallel_for(n, 4, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const auto image = static_cast<uint64_t>(index[i]);
      const kernels::View view =
          kernels::draw_view(config_.augmentation, images.height, images.width, size, config_.seed, static_cast<uint64_t>(epoch), image);
      float* input = inputs.data<float>() + i * size * size * 3;
      kernels::augment_image(images.at(index[i]), images.height, images.width, view, config_.mean, config_.std, table_.data(), input);
      if (config_.rand_ops > 0) rand_augment(epoch, index[i], input);
      labels[static_cast<size_t>(i)] = images.labels[image];
    }
  });
  return inputs;
}

// On whole numbers, which the input is rounded to: torchvision's crop of a uint8 image, too, gives such.
void Trainer::rand_augment(int64_t epoch, int64_t image, float* input) const {
  const int64_t size = classifier_.config().image_size, bytes = size * size * 3;
  std::vector<uint8_t> pixels(static_cast<size_t>(bytes)), other(pixels.size());
  for (int64_t i = 0; i < bytes; ++i) {
    const float value = (input[i] * config_.std[i % 3] + config_.mean[i % 3]) * 255;
    pixels[static_cast<size_t>(i)] = static_cast<uint8_t>(std::clamp(std::nearbyint(value), 0.0f, 255.0f));
  }
  kernels::PhiloxStream random(config_.seed, (static_cast<uint64_t>(epoch) << 32) | static_cast<uint64_t>(image),
                               kernels::draws::kRandAugment);
  kernels::rand_augment(config_.rand_ops, config_.rand_magnitude, random, size, size, pixels.data(), other.data());
  for (int64_t i = 0; i < bytes; ++i) input[i] = table_[static_cast<size_t>(pixels[static_cast<size_t>(i)] * 3 + i % 3)];
}

TrainingSums Trainer::step(const Tensor& inputs, const kernels::Targets& targets, double learning_rate, Tensor* logits) {
  const bool gradients_only = std::isnan(learning_rate);
  const int64_t classes = classifier_.config().classes;
  for (int64_t i = 0; i < inputs.size(0); ++i) {
    const int32_t label = targets.labels[i];
    require(label >= 0 && label < classes, "label ", label, " at ", i, " is outside [0, ", classes, ")");
  }
  struct Leave {  // an exception, too, leaves nothing on the tape, and nothing derived from what the forward pass changed
    Tape& tape;
    Classifier& classifier;
    bool changes;
    ~Leave() {
      tape.clear();
      if (changes) classifier.changed();
    }
  } leave{tape_, classifier_, !gradients_only && !config_.head_only};
  const Tensor y = forward(inputs, gradients_only);
  TrainingSums sums;
  sums.images = inputs.size(0);
  sums.steps = 1;
  ops::Loss loss = ops::cross_entropy(y, targets, config_.label_smoothing);
  sums.loss = loss.sum;
  sums.correct = loss.correct;
  if (!std::isfinite(loss.sum)) {
    throw Error(MOTLEY_NOT_FINITE, concat("the loss is not finite (", loss.sum / static_cast<double>(sums.images), ")"));
  }
  if (logits != nullptr) *logits = y;
  tape_.backward(y, std::move(loss.gradient));
  if (!gradients_only) update(learning_rate);
  return sums;
}

Tensor Trainer::forward(const Tensor& inputs, bool gradients_only) {
  if (config_.head_only) {
    const Tensor features = classifier_.features(inputs, Pass::running());
    const Tape::Recording recording(tape_);
    return classifier_.logits(features);
  }
  const Tape::Recording recording(tape_);
  return classifier_.forward(inputs, {gradients_only ? ops::Statistics::batch : ops::Statistics::training,
                                      ops::Randomness{config_.seed, static_cast<uint64_t>(steps_)}});
}

double Trainer::gradient_scale() const {
  if (config_.clip_norm == 0) return 1;
  std::vector<kernels::GradientTensor> gradients;
  for (const Slot& s : slots_) {
    if (s.parameter) gradients.push_back({s.gradient.data<float>(), s.gradient.numel()});
  }
  const double norm = kernels::gradient_norm(gradients);
  if (!std::isfinite(norm)) throw Error(MOTLEY_NOT_FINITE, concat("the norm of the gradients is not finite (", norm, ")"));
  return kernels::clip_factor(norm, config_.clip_norm);
}

void Trainer::update(double learning_rate) {
  const double scale = gradient_scale();
  const ops::Timed timed("adamw", [&] {
    constexpr int64_t kBytes = 28;  // of a parameter: adamw.h
    int64_t parameters = 0;
    for (const Slot& s : slots_) parameters += s.parameter ? s.parameter.numel() : 0;
    return ops::Work{concat(parameters, " parameters"), 0, kBytes * parameters};
  });
  std::vector<kernels::AdamwTensor> tensors;
  for (const Slot& s : slots_) {
    if (!s.parameter) continue;
    tensors.push_back(
        {s.parameter.data<float>(), s.gradient.data<float>(), s.exp_avg.data<float>(), s.exp_avg_sq.data<float>(), s.parameter.numel()});
  }
  ++steps_;
  kernels::adamw(tensors, {learning_rate, config_.beta1, config_.beta2, config_.epsilon, config_.weight_decay, steps_, scale});
  if (config_.ema_decay > 0) update_average();
}

// As torch's AveragedModel: the first step's weights are copied.
void Trainer::update_average() {
  std::vector<kernels::EmaTensor> tensors;
  for (const Slot& s : slots_) {
    if (s.parameter) tensors.push_back({s.average.data<float>(), s.parameter.data<float>(), s.parameter.numel()});
  }
  kernels::ema(tensors, steps_ == 1 ? 0 : config_.ema_decay);
}

bool Trainer::run(const Images& images, int64_t epoch, int64_t first, int64_t count, double learning_rate, TrainingSums& sums,
                  const Progress& progress) {
  const int64_t last = std::min(first + count, steps_per_epoch(images.n));
  const int64_t n_images = trained_on(images.n), tail = n_images % config_.batch;
  require((config_.drop_last || tail == 0 ? config_.batch : tail) >= (config_.head_only ? 1 : classifier_.least_batch()), n_images,
          " images in batches of ", config_.batch,
          " leave a batch of one image, which BatchNorm cannot train on: choose another batch or drop the last one");
  std::vector<int32_t> labels, others;
  for (int64_t s = first; s < last; ++s) {
    const int64_t at = s * config_.batch, n = std::min(config_.batch, n_images - at);
    TrainingSums one;
    try {
      Tensor inputs = batch(images, epoch, at, n, labels);
      kernels::Targets targets{labels.data()};
      if (config_.mixup > 0) {
        const double share = kernels::draw_share(config_.mixup, config_.seed, static_cast<uint64_t>(epoch), static_cast<uint64_t>(s));
        const Tensor mixed = Tensor::empty(inputs.shape());
        kernels::mixup(inputs.data<float>(), n, inputs.numel() / n, share, mixed.data<float>());
        inputs = mixed;
        others = labels;
        std::rotate(others.begin(), others.end() - 1, others.end());
        targets = {labels.data(), others.data(), static_cast<float>(share)};
      }
      one = step(inputs, targets, learning_rate);
    } catch (const Error& e) {
      throw Error(e.status(), concat("epoch ", epoch, ", step ", s, ": ", e.what(), " (learning rate ", learning_rate, ")"));
    }
    sums.loss += one.loss;
    sums.correct += one.correct;
    sums.images += one.images;
    ++sums.steps;
    if (progress && progress(s - first + 1, last - first, one)) return false;
  }
  return true;
}

const Tensor& Trainer::state(size_t index, State which) const {
  const Slot& slot = slots_.at(index);
  switch (which) {
    case State::gradient: return slot.gradient;
    case State::exp_avg: return slot.exp_avg;
    case State::exp_avg_sq: return slot.exp_avg_sq;
    case State::average: return slot.average;
  }
  throw Error(MOTLEY_INTERNAL, "unknown trainer state");
}

}  // namespace motley
