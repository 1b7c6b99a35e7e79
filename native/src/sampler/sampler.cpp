// SPDX-License-Identifier: Apache-2.0
#include "sampler/sampler.h"

#include <algorithm>
#include <vector>

#include "kernels/cpu/sampling.h"
#include "ops/layout.h"
#include "sampler/noise.h"
#include "libtorch/tasks.h"

namespace motley {
namespace {

// Pixels of latents that go through the UNet together, both halves counted: enough to fill the kernels' tiles, few enough
// that most of a layer's activations stay in the second-level cache.
constexpr int64_t kChunkPixels = 3 << 9;

// Images [first, first + count) of a batch, denoised together. The rows of the UNet's pass are the conditional halves of all
// images, then the negative halves of those whose guidance is not 1.
class Chunk {
 public:
  Chunk(const UNet& model, const EncodedContext& context, const motley_sample_params& params, int64_t first, int64_t count)
      : model_(model), context_(context), p_(params), first_(first), count_(count) {
    channels_ = model.config.in_channels;
    size_ = channels_ * p_.height * p_.width;
    for (int64_t i = 0; i < count; ++i) {
      prompt_.push_back(p_.prompt[first + i]);
      image_of_.push_back(static_cast<int32_t>(i));
    }
    for (int64_t i = 0; i < count; ++i) {
      guided_.push_back(p_.guidance[first + i] == 1.0f ? -1 : static_cast<int64_t>(prompt_.size()));
      if (guided_.back() < 0) continue;
      prompt_.push_back(p_.negative[first + i]);
      image_of_.push_back(static_cast<int32_t>(i));
    }
    x_ = start();
  }

  void step(int64_t s, const TimeTable& table, double alpha, double previous) {
    const Tensor eps = unet(model_, x_.to(model_.dtype), time_row(table, s), context_, prompt_, image_of_).to(DType::f32);
    const float* e = eps.data<float>();
    for (int64_t i = 0; i < count_; ++i) {
      const double eta = p_.eta == nullptr ? 0 : p_.eta[first_ + i];
      const kernels::DdimStep update = kernels::ddim_step(alpha, previous, eta, p_.clip_sample != 0);
      const Tensor noise = eta > 0 ? noise_of(s, i) : Tensor();
      kernels::sampling_kernels().update(update, size_, x_.data<float>() + i * size_, e + i * size_,
                                         guided_[static_cast<size_t>(i)] < 0 ? nullptr : e + guided_[static_cast<size_t>(i)] * size_,
                                         p_.guidance[first_ + i], noise ? noise.data<float>() : nullptr);
    }
  }

  void write(float* latents) const { ops::to_nchw(x_, latents + first_ * size_); }

 private:
  Tensor start() const {
    if (p_.latents != nullptr) return ops::from_nchw(p_.latents + first_ * size_, count_, channels_, p_.height, p_.width);
    std::vector<float> noise(static_cast<size_t>(count_ * size_));
    for (int64_t i = 0; i < count_; ++i) {
      philox_normals(p_.seed[first_ + i], p_.image_key[first_ + i], 0, size_, noise.data() + i * size_);
    }
    return ops::from_nchw(noise.data(), count_, channels_, p_.height, p_.width);
  }

  Tensor noise_of(int64_t s, int64_t i) const {
    if (p_.noise != nullptr) {
      return ops::from_nchw(p_.noise + (s * p_.batch + first_ + i) * size_, 1, channels_, p_.height, p_.width);
    }
    std::vector<float> noise(static_cast<size_t>(size_));
    philox_normals(p_.seed[first_ + i], p_.image_key[first_ + i], static_cast<uint64_t>(1 + s), size_, noise.data());
    return ops::from_nchw(noise.data(), 1, channels_, p_.height, p_.width);
  }

  const UNet& model_;
  const EncodedContext& context_;
  const motley_sample_params& p_;
  int64_t first_, count_, channels_, size_;
  std::vector<int32_t> prompt_, image_of_;  // of each row
  std::vector<int64_t> guided_;             // of each image: row of its negative half, or -1
  Tensor x_;                                // latents (count, h, w, channels) float32
};

}  // namespace

int64_t chunks_of(int64_t batch, int64_t pixels, int64_t threads) {
  const int64_t most = std::max<int64_t>(1, kChunkPixels / (2 * pixels));  // images of a chunk
  if (batch < threads) return (batch + most - 1) / most;
  const int64_t rounds = (batch + most * threads - 1) / (most * threads);
  return std::min(batch, rounds * threads);  // as many for each thread
}

void sample(const UNet& model, const EncodedContext& context, const motley_ddim_config& config,
            const motley_sample_params& params, float* latents) {
  const DdimSchedule schedule = ddim_schedule(config, params.steps);
  const std::vector<float> timesteps(schedule.timesteps.begin(), schedule.timesteps.end());
  const TimeTable table = tabulate_time(model, params.steps, timesteps.data());
  const int64_t count = chunks_of(params.batch, params.height * params.width, parallel_threads());
  std::vector<Chunk> chunks;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t first = i * params.batch / count;
    chunks.emplace_back(model, context, params, first, (i + 1) * params.batch / count - first);
  }
  const auto step = [&](int64_t s, int64_t chunk) {
    const auto at = static_cast<size_t>(s);
    chunks[static_cast<size_t>(chunk)].step(s, table, schedule.alpha[at], schedule.alpha_prev[at]);
  };
  for_each_step(params.steps, count, step, [&](int64_t s) {
    if (params.progress == nullptr) return;
    const auto done = static_cast<int32_t>(s + 1);
    const motley_progress progress = {done, params.steps, static_cast<double>(schedule.timesteps[static_cast<size_t>(s)]), 0};
    if (params.progress(params.user, &progress) != 0) {
      throw Error(MOTLEY_CANCELLED, concat("sampling was cancelled after step ", done, " of ", params.steps));
    }
  });
  for (const Chunk& chunk : chunks) chunk.write(latents);
}

}  // namespace motley
