// SPDX-License-Identifier: Apache-2.0
// Steps per second of training a classifier on random images, images per second of testing it, and where the time goes.
//   trainer_bench [ARCH [BATCH [STEPS [IMAGE_SIZE [CLASSES]]]]]      (resnet50 128 10 32 10)
// MOTLEY_PROFILE=1: wall time per op; MOTLEY_PROFILE=cpu with OMP_NUM_THREADS=1: CPU time, undisturbed by other processes.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "harness.h"
#include "kernels/philox.h"
#include "libtorch/parallel.h"
#include "trainer/evaluate.h"
#include "trainer/trainer.h"

using namespace motley;
using bench::median, bench::Moment, bench::now;

namespace {

Images random_images(int64_t n, int64_t size, int64_t classes, std::vector<uint8_t>& pixels) {
  pixels.resize(static_cast<size_t>(n * size * size * 3));
  Images images{n, size, size, pixels.data(), {}};
  kernels::PhiloxStream random(1, 0, 0);
  for (uint8_t& pixel : pixels) pixel = static_cast<uint8_t>(random.below(256));
  for (int64_t i = 0; i < n; ++i) images.labels.push_back(static_cast<int32_t>(random.below(static_cast<uint32_t>(classes))));
  return images;
}

void train(Trainer& trainer, const Images& images, int64_t steps) {
  constexpr double kLearningRate = 1e-3;
  TrainingSums sums;
  trainer.run(images, 0, 0, 1, kLearningRate, sums, {});  // memory comes to the pool
  bench::start_profile();
  std::vector<double> wall, cpu;
  Moment before = now();
  trainer.run(images, 1, 0, steps, kLearningRate, sums, [&](int64_t, int64_t, const TrainingSums&) {
    const Moment after = now();
    wall.push_back(after.wall - before.wall);
    cpu.push_back(after.cpu - before.cpu);
    before = after;
    return false;
  });
  std::printf("training: %.2f steps/s (median of %lld: %.1f ms, %.1f ms CPU time; fastest %.1f and %.1f ms)\n", 1 / median(wall),
              static_cast<long long>(steps), 1e3 * median(wall), 1e3 * median(cpu), 1e3 * *std::min_element(wall.begin(), wall.end()),
              1e3 * *std::min_element(cpu.begin(), cpu.end()));
  bench::print_profile();
}

void test(Classifier& classifier, const Images& images, int64_t batch, const Pass& pass, const char* name) {
  constexpr float kMean[3] = {0.5f, 0.5f, 0.5f}, kStd[3] = {0.25f, 0.25f, 0.25f};
  std::vector<float> logits(static_cast<size_t>(images.n * classifier.config().classes));
  const auto run = [&](int64_t n) { evaluate(classifier, images, 0, 0, n, batch, pass, kMean, kStd, logits.data(), {}); };
  run(std::min(batch, images.n));  // weights are folded and packed
  bench::start_profile();
  const Moment before = now();
  run(images.n);
  const Moment after = now();
  const auto n = static_cast<double>(images.n);
  std::printf("testing, %s statistics: %.0f images/s (%.2f ms CPU time per image)\n", name, n / (after.wall - before.wall),
              1e3 * (after.cpu - before.cpu) / n);
  bench::print_profile();
}

void run(int argc, char** argv) {
  const auto number = [&](int i, int64_t otherwise) { return argc > i ? std::atoll(argv[i]) : otherwise; };
  const std::string architecture = argc > 1 ? argv[1] : "resnet50";
  const int64_t batch = number(2, 128), steps = number(3, 10), size = number(4, 32), classes = number(5, 10);
  const auto classifier = make_classifier({architecture, classes, size, DType::f32});
  classifier->initialise(1);
  TrainerConfig config;
  config.batch = batch;
  config.augmentation = {0.25, 1.0, 3.0 / 4, 4.0 / 3, 0.5};
  Trainer trainer(*classifier, config);
  std::vector<uint8_t> pixels;
  const Images images = random_images(batch * steps, size, classes, pixels);
  std::printf("%s, %lldx%lld, batch %lld, %d thread(s)\n", architecture.c_str(), static_cast<long long>(size), static_cast<long long>(size),
              static_cast<long long>(batch), parallel_threads());
  train(trainer, images, steps);
  test(*classifier, images, batch, Pass::running(), "running");
  test(*classifier, images, batch, {ops::Statistics::batch}, "batch");
}

}  // namespace

int main(int argc, char** argv) {
  return bench::run_on_libtorch([&] { run(argc, argv); });
}
