// SPDX-License-Identifier: Apache-2.0
#include "sampler/sampler.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/cpu/sampling.h"
#include "libtorch/tasks.h"
#include "ops/layout.h"
#include "sampler/noise.h"

namespace motley {
namespace {

// Pixels of latents that go through the UNet together, both halves counted: enough to fill the kernels' tiles, few enough
// that most of a layer's activations stay in the second-level cache.
constexpr int64_t kChunkPixels = 3 << 9;

// What all chunks of a run share.
struct Sampling {
  const UNet& model;
  const Prompts& prompts;
  const motley_sample_params& params;
  DdimSchedule schedule;
  TimeTable time;  // of all steps; empty where it is made at every step

  bool published(int32_t bit) const { return (params.as_published & bit) != 0; }

  TimeTable time_of(int64_t step) const {
    if (!published(MOTLEY_PUBLISHED_TIME)) return time_row(time, step);
    const auto timestep = static_cast<float>(schedule.timesteps[static_cast<size_t>(step)]);
    return time_row(tabulate_time(model, 1, &timestep), 0);
  }
};

// Images [first, first + count) of a batch, denoised together. The rows of the UNet's pass are the conditional halves of all
// images, then the negative halves of those whose guidance is not 1.
class Chunk {
 public:
  Chunk(const Sampling& run, int64_t first, int64_t count) : run_(run), p_(run.params), first_(first), count_(count) {
    channels_ = run.model.config.in_channels;
    size_ = channels_ * p_.height * p_.width;
    for (int64_t i = 0; i < count; ++i) {
      prompt_.push_back(p_.prompt[first + i]);
      image_of_.push_back(static_cast<int32_t>(i));
    }
    for (int64_t i = 0; i < count; ++i) {
      const bool alone = p_.guidance[first + i] == 1.0f && !run.published(MOTLEY_PUBLISHED_GUIDANCE);
      guided_.push_back(alone ? -1 : static_cast<int64_t>(prompt_.size()));
      if (alone) continue;
      prompt_.push_back(p_.negative[first + i]);
      image_of_.push_back(static_cast<int32_t>(i));
    }
    x_ = start();
  }

  void step(int64_t s) {
    const auto at = static_cast<size_t>(s);
    const UNet& model = run_.model;
    const bool encode = run_.published(MOTLEY_PUBLISHED_CONTEXT);
    const EncodedContext own = encode ? encode_context(model, run_.prompts.hidden) : EncodedContext();
    const Tensor eps =
        unet(model, x_.to(model.dtype), run_.time_of(s), encode ? own : run_.prompts.context, prompt_, image_of_, p_.as_published)
            .to(DType::f32);
    for (int64_t i = 0; i < count_; ++i) {
      const double eta = p_.eta == nullptr ? 0 : p_.eta[first_ + i];
      const kernels::DdimStep update = kernels::ddim_step(run_.schedule.alpha[at], run_.schedule.alpha_prev[at], eta, p_.clip_sample != 0);
      const Tensor noise = eta > 0 ? noise_of(s, i) : Tensor();
      if (p_.preview != nullptr) preview(update, i, eps);
      move(update, i, eps, x_, noise);
    }
  }

  void write(float* latents) const { ops::to_nchw(x_, latents + first_ * size_); }

 private:
  // one step of image i on x
  void move(const kernels::DdimStep& step, int64_t i, const Tensor& eps, const Tensor& x, const Tensor& noise) const {
    const float* e = eps.data<float>();
    const int64_t negative = guided_[static_cast<size_t>(i)];
    kernels::sampling_kernels().update(step, size_, x.data<float>() + i * size_, e + i * size_,
                                       negative < 0 ? nullptr : e + negative * size_, p_.guidance[first_ + i],
                                       noise ? noise.data<float>() : nullptr);
  }

  // x0 as the step predicts it
  void preview(const kernels::DdimStep& step, int64_t i, const Tensor& eps) const {
    const Tensor x0 = x_.clone();
    kernels::DdimStep predict = step;
    predict.keep = step.x0_x;
    predict.move = step.x0_eps;
    predict.from_x0 = 1;
    predict.from_eps = 0;
    move(predict, i, eps, x0, {});
    ops::to_nchw(ops::slice(x0, i, 1), p_.preview + (first_ + i) * size_);
  }

  // `values` of these images: (count, h, w, channels)
  Tensor ours(const float* values) const { return ops::from_nchw(values + first_ * size_, count_, channels_, p_.height, p_.width); }

  Tensor start() const {
    Tensor x;
    if (p_.latents != nullptr) {
      x = ours(p_.latents);
    } else {
      std::vector<float> noise(static_cast<size_t>(count_ * size_));
      for (int64_t i = 0; i < count_; ++i) {
        philox_normals(p_.seed[first_ + i], p_.image_key[first_ + i], 0, size_, noise.data() + i * size_);
      }
      x = ops::from_nchw(noise.data(), count_, channels_, p_.height, p_.width);
    }
    if (p_.image == nullptr) return x;
    const double alpha = run_.schedule.alpha[static_cast<size_t>(p_.first_step)];
    const auto keep = static_cast<float>(std::sqrt(alpha)), blur = static_cast<float>(std::sqrt(1 - alpha));
    const Tensor image = ours(p_.image);
    const float* from = image.data<float>();
    float* to = x.data<float>();
    for (int64_t i = 0; i < x.numel(); ++i) to[i] = keep * from[i] + blur * to[i];
    return x;
  }

  Tensor noise_of(int64_t s, int64_t i) const {
    if (p_.noise != nullptr) {
      return ops::from_nchw(p_.noise + (s * p_.batch + first_ + i) * size_, 1, channels_, p_.height, p_.width);
    }
    std::vector<float> noise(static_cast<size_t>(size_));
    philox_normals(p_.seed[first_ + i], p_.image_key[first_ + i], static_cast<uint64_t>(1 + s), size_, noise.data());
    return ops::from_nchw(noise.data(), 1, channels_, p_.height, p_.width);
  }

  const Sampling& run_;
  const motley_sample_params& p_;
  int64_t first_, count_, channels_, size_;
  std::vector<int32_t> prompt_, image_of_;  // of each row
  std::vector<int64_t> guided_;             // of each image: row of its negative half, or -1
  Tensor x_;                                // latents (count, h, w, channels) float32
};

TimeTable time_table(const UNet& model, const DdimSchedule& schedule) {
  const std::vector<float> timesteps(schedule.timesteps.begin(), schedule.timesteps.end());
  return tabulate_time(model, static_cast<int64_t>(timesteps.size()), timesteps.data());
}

}  // namespace

int64_t chunks_of(int64_t batch, int64_t pixels, int64_t threads) {
  const int64_t most = std::max<int64_t>(1, kChunkPixels / (2 * pixels));  // images of a chunk
  if (batch < threads) return (batch + most - 1) / most;
  const int64_t rounds = (batch + most * threads - 1) / (most * threads);
  return std::min(batch, rounds * threads);  // as many for each thread
}

void sample(const UNet& model, const Prompts& prompts, const motley_ddim_config& config, const motley_sample_params& params,
            float* latents) {
  Sampling run{model, prompts, params, ddim_schedule(config, params.steps), {}};
  require(params.first_step >= 0 && params.first_step < params.steps, "first_step must be 0 to ", params.steps - 1, ", got ",
          params.first_step);
  if (!run.published(MOTLEY_PUBLISHED_TIME)) run.time = time_table(model, run.schedule);
  const int64_t count = chunks_of(params.batch, params.height * params.width, parallel_threads());
  const int64_t steps = params.steps - params.first_step;
  std::vector<Chunk> chunks;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t first = i * params.batch / count;
    chunks.emplace_back(run, first, (i + 1) * params.batch / count - first);
  }
  const auto step = [&](int64_t s, int64_t chunk) { chunks[static_cast<size_t>(chunk)].step(params.first_step + s); };
  const auto report = [&](int64_t s) {
    if (params.progress == nullptr) return;
    const auto timestep = static_cast<double>(run.schedule.timesteps[static_cast<size_t>(params.first_step + s)]);
    const motley_progress progress = {s + 1, steps, timestep, 0};
    if (params.progress(params.user, &progress) != 0) {
      throw Error(MOTLEY_CANCELLED, concat("sampling was cancelled after step ", s + 1, " of ", steps));
    }
  };
  if (params.preview == nullptr) {
    for_each_step(steps, count, step, report);
  } else {  // all images at the same step when it is reported
    for (int64_t s = 0; s < steps; ++s) {
      for_each_task(count, [&](int64_t chunk) { step(s, chunk); });
      report(s);
    }
  }
  for (const Chunk& chunk : chunks) chunk.write(latents);
}

}  // namespace motley
