// SPDX-License-Identifier: Apache-2.0
#include "trainer/trainer.h"

#include <cmath>
#include <cstring>

#include "api/classifier.h"
#include "api/guard.h"
#include "kernels/cpu/rand_augment.h"
#include "models/layout.h"

struct motley_trainer {
  motley_trainer(motley::Classifier& classifier, const motley::TrainerConfig& config) : trainer(classifier, config) {}
  motley::Trainer trainer;
};

namespace motley::api {
namespace {

constexpr int kMaxOps = 16;
constexpr double kMaxMixup = 1000;  // shares then lie within 5 % of a half

void require_in(double value, double low, double high, const char* name) {
  require(value >= low && value <= high, name, " must be in [", low, ", ", high, "], got ", value);
}

TrainerConfig config_of(const motley_trainer_config& c, int64_t image_size) {
  require(c.batch >= 1, "batch must be at least 1, got ", c.batch);
  require(c.beta1 >= 0 && c.beta1 < 1, "beta1 must be in [0, 1), got ", c.beta1);
  require(c.beta2 >= 0 && c.beta2 < 1, "beta2 must be in [0, 1), got ", c.beta2);
  require(std::isfinite(c.epsilon) && c.epsilon >= 0, "epsilon must not be negative, got ", c.epsilon);
  require(std::isfinite(c.weight_decay) && c.weight_decay >= 0, "weight_decay must not be negative, got ", c.weight_decay);
  require(c.label_smoothing >= 0 && c.label_smoothing < 1, "label_smoothing must be in [0, 1), got ", c.label_smoothing);
  require(c.crop_scale_min > 0 && c.crop_scale_min <= c.crop_scale_max && c.crop_scale_max <= 1,
          "crop scale must satisfy 0 < min <= max <= 1, got ", c.crop_scale_min, ", ", c.crop_scale_max);
  require(c.crop_ratio_min > 0 && c.crop_ratio_min <= c.crop_ratio_max && std::isfinite(c.crop_ratio_max),
          "crop ratio must satisfy 0 < min <= max, got ", c.crop_ratio_min, ", ", c.crop_ratio_max);
  require_in(c.flip, 0, 1, "flip");
  require_in(c.rotation, 0, 180, "rotation");
  require(c.resize == 0 || (c.resize >= image_size && c.resize <= kMaxImageSize), "resize must be 0 or in [", image_size, ", ",
          kMaxImageSize, "], got ", c.resize);
  require(c.resize == 0 || (c.crop_scale_min == 1 && c.crop_scale_max == 1),
          "resize and a crop scale below 1 exclude each other: images are cropped before or after they are resized");
  require(c.mixup >= 0 && c.mixup <= kMaxMixup, "mixup must be in [0, ", kMaxMixup, "], got ", c.mixup);
  require(c.ema_decay >= 0 && c.ema_decay < 1, "ema_decay must be in [0, 1), got ", c.ema_decay);
  require(std::isfinite(c.clip_norm) && c.clip_norm >= 0, "clip_norm must not be negative, got ", c.clip_norm);
  require(c.randaugment_ops >= 0 && c.randaugment_ops <= kMaxOps, "randaugment_ops must be in [0, ", kMaxOps, "], got ", c.randaugment_ops);
  require(c.randaugment_magnitude >= 0 && c.randaugment_magnitude < kernels::kMagnitudes, "randaugment_magnitude must be in [0, ",
          kernels::kMagnitudes - 1, "], got ", c.randaugment_magnitude);
  require(c.held_out >= 0, "held_out must not be negative, got ", c.held_out);
  check_normalisation(c.normalisation);
  TrainerConfig config;
  config.batch = c.batch;
  config.drop_last = c.drop_last != 0;
  config.head_only = c.head_only != 0;
  config.beta1 = c.beta1;
  config.beta2 = c.beta2;
  config.epsilon = c.epsilon;
  config.weight_decay = c.weight_decay;
  config.label_smoothing = c.label_smoothing;
  config.augmentation = {c.crop_scale_min, c.crop_scale_max, c.crop_ratio_min, c.crop_ratio_max, c.flip, c.rotation, c.resize};
  config.held_out = c.held_out;
  config.mixup = c.mixup;
  config.ema_decay = c.ema_decay;
  config.clip_norm = c.clip_norm;
  config.rand_ops = c.randaugment_ops;
  config.rand_magnitude = c.randaugment_magnitude;
  std::memcpy(config.mean, c.normalisation.mean, sizeof config.mean);
  std::memcpy(config.std, c.normalisation.std, sizeof config.std);
  config.seed = c.seed;
  return config;
}

void check_held_out(const Trainer& trainer, const Images& images) {
  require(trainer.trained_on(images.n) >= 1, "held_out leaves nothing of ", images.n, " images");
}

void check_learning_rate(double rate) {
  require(std::isfinite(rate) && rate >= 0, "learning_rate must be finite and not negative, got ", rate);
}

void check_labels(const Images& images, int64_t classes) {
  for (size_t i = 0; i < images.labels.size(); ++i) {
    require(images.labels[i] >= 0 && images.labels[i] < classes, "image ", i, " has label ", images.labels[i], ", the classifier has ",
            classes, " classes");
  }
}

struct StateTensor {
  const ClassifierTensor& info;
  const Tensor& value;
};

StateTensor state_of(const Trainer& trainer, int64_t index, int32_t state, int64_t count) {
  const auto& tensors = trainer.classifier().tensors();
  require(index >= 0 && index < static_cast<int64_t>(tensors.size()), "tensor index ", index, " is outside [0, ", tensors.size(), ")");
  const ClassifierTensor& info = tensors[static_cast<size_t>(index)];
  require(trainer.trains(info), info.name, " is not trained and has no optimizer state");
  require(state >= MOTLEY_STATE_GRADIENT && state <= MOTLEY_STATE_AVERAGE, "unknown state ", state, ": expected 0, 1, 2 or 3");
  require(count == info.value.numel(), info.name, " ", shown(info.shape), " has ", info.value.numel(), " elements, the buffer holds ",
          count);
  const auto which = state == MOTLEY_STATE_GRADIENT     ? Trainer::State::gradient
                     : state == MOTLEY_STATE_EXP_AVG    ? Trainer::State::exp_avg
                     : state == MOTLEY_STATE_EXP_AVG_SQ ? Trainer::State::exp_avg_sq
                                                        : Trainer::State::average;
  const Tensor& value = trainer.state(static_cast<size_t>(index), which);
  require(bool(value), "the trainer keeps no average of the weights: its ema_decay is 0");
  return {info, value};
}

}  // namespace
}  // namespace motley::api

using namespace motley;
using namespace motley::api;

motley_status motley_trainer_create(motley_classifier* classifier, const motley_trainer_config* config, motley_trainer** out,
                                    motley_error* error) noexcept {
  return guarded(error, [&] {
    const auto& c = checked(config, "motley_trainer_config");
    check_pointer("classifier", classifier);
    check_pointer("out", out);
    *out = new motley_trainer(*classifier->model, config_of(c, classifier->model->config().image_size));
  });
}

void motley_trainer_destroy(motley_trainer* trainer) noexcept { delete trainer; }

motley_status motley_trainer_run(motley_trainer* trainer, const motley_images* images, int64_t epoch, int64_t first, int64_t count,
                                 double learning_rate, int64_t* done, double* loss_sum, int64_t* correct, motley_progress_fn progress,
                                 void* user, motley_error* error) noexcept {
  TrainingSums sums;
  const motley_status status = guarded(error, [&] {
    check_pointer("trainer", trainer);
    check_pointer("images", images);
    check_pointer("done", done);
    check_pointer("loss_sum", loss_sum);
    check_pointer("correct", correct);
    check_learning_rate(learning_rate);
    check_held_out(trainer->trainer, images->images);
    const int64_t steps = trainer->trainer.steps_per_epoch(images->images.n);
    require(epoch >= 0 && epoch < (int64_t{1} << 32), "epoch must be in [0, 2^32), got ", epoch);
    require(count >= 0, "count must not be negative, got ", count);
    require(first >= 0 && first <= steps, "first step ", first, " is outside [0, ", steps, "], the epoch's steps");
    check_labels(images->images, trainer->trainer.classifier().config().classes);
    const bool complete =
        trainer->trainer.run(images->images, epoch, first, std::min(count, steps), learning_rate, sums,
                             [&](int64_t finished, int64_t total, const TrainingSums& step) {
                               const double n = static_cast<double>(step.images);
                               const motley_progress report{finished, total, step.loss / n, static_cast<double>(step.correct) / n};
                               return progress != nullptr && progress(user, &report) != 0;
                             });
    if (!complete) throw Error(MOTLEY_CANCELLED, concat("training was cancelled after step ", first + sums.steps - 1, " of epoch ", epoch));
  });
  if (done != nullptr && loss_sum != nullptr && correct != nullptr) {
    *done = sums.steps;
    *loss_sum = sums.loss;
    *correct = sums.correct;
  }
  return status;
}

motley_status motley_trainer_step(motley_trainer* trainer, int64_t n, const float* inputs, const int32_t* labels, double learning_rate,
                                  double* loss, float* logits, motley_error* error) noexcept {
  return guarded(error, [&] {
    check_pointer("trainer", trainer);
    check_pointer("inputs", inputs);
    check_pointer("labels", labels);
    check_pointer("loss", loss);
    if (!std::isnan(learning_rate)) check_learning_rate(learning_rate);
    Tensor y;
    const TrainingSums sums = trainer->trainer.step(inputs_of(trainer->trainer.classifier(), n, inputs), labels, learning_rate, &y);
    *loss = sums.loss / static_cast<double>(n);
    if (logits != nullptr) std::memcpy(logits, y.raw(), static_cast<size_t>(y.bytes()));
  });
}

motley_status motley_trainer_preview(motley_trainer* trainer, const motley_images* images, int64_t epoch, int64_t first, int64_t n,
                                     float* inputs, int32_t* labels, motley_error* error) noexcept {
  return guarded(error, [&] {
    check_pointer("trainer", trainer);
    check_pointer("images", images);
    check_pointer("inputs", inputs);
    check_pointer("labels", labels);
    require(epoch >= 0 && epoch < (int64_t{1} << 32), "epoch must be in [0, 2^32), got ", epoch);
    check_held_out(trainer->trainer, images->images);
    const int64_t all = trainer->trainer.trained_on(images->images.n);
    require(first >= 0 && n >= 1 && first <= all - n, "entries [", first, ", ", first + n, ") of a set of ", all);
    std::vector<int32_t> taken;
    const Tensor x = trainer->trainer.batch(images->images, epoch, first, n, taken);
    to_channels_first({n, 3, x.size(1), x.size(2)}, x.data<float>(), inputs);
    std::memcpy(labels, taken.data(), taken.size() * sizeof(int32_t));
  });
}

motley_status motley_trainer_read(const motley_trainer* trainer, int64_t index, int32_t state, float* values, int64_t count,
                                  motley_error* error) noexcept {
  return guarded(error, [&] {
    check_pointer("trainer", trainer);
    check_pointer("values", values);
    const StateTensor s = state_of(trainer->trainer, index, state, count);
    to_channels_first(s.info.shape, s.value.data<float>(), values);
  });
}

motley_status motley_trainer_write(motley_trainer* trainer, int64_t index, int32_t state, const float* values, int64_t count,
                                   motley_error* error) noexcept {
  return guarded(error, [&] {
    check_pointer("trainer", trainer);
    check_pointer("values", values);
    const StateTensor s = state_of(trainer->trainer, index, state, count);
    require(state != MOTLEY_STATE_GRADIENT, "gradients are read only");
    for (int64_t i = 0; i < count; ++i) {
      require(std::isfinite(values[i]), s.info.name, ": optimizer state ", i, " is not finite");
      require(state != MOTLEY_STATE_EXP_AVG_SQ || values[i] >= 0, s.info.name, ": exp_avg_sq ", i, " is negative");
    }
    to_channels_last(s.info.shape, values, s.value.data<float>());
  });
}

motley_status motley_trainer_steps(const motley_trainer* trainer, int64_t* steps, motley_error* error) noexcept {
  return guarded(error, [&] {
    check_pointer("trainer", trainer);
    check_pointer("steps", steps);
    *steps = trainer->trainer.steps();
  });
}

motley_status motley_trainer_set_steps(motley_trainer* trainer, int64_t steps, motley_error* error) noexcept {
  return guarded(error, [&] {
    check_pointer("trainer", trainer);
    require(steps >= 0, "steps must not be negative, got ", steps);
    trainer->trainer.set_steps(steps);
  });
}
