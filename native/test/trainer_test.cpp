// SPDX-License-Identifier: Apache-2.0
// Classifier and trainer through the C ABI.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "libtorch/symbols.h"
#include "motley.h"
#include "support/golden.h"
#include "support/threads.h"
#include "trainer/images.h"

using namespace motley;

namespace {

struct Destroy {
  void operator()(motley_images* x) const { motley_images_destroy(x); }
  void operator()(motley_classifier* x) const { motley_classifier_destroy(x); }
  void operator()(motley_trainer* x) const { motley_trainer_destroy(x); }
  void operator()(motley_weights* x) const { motley_weights_destroy(x); }
};
template <typename T>
using Handle = std::unique_ptr<T, Destroy>;

motley_error error;
const motley_normalisation kImageNet{{0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}};

void ok(motley_status status) { REQUIRE_MESSAGE(status == MOTLEY_OK, std::string(error.message)); }

void refused(motley_status status, const char* part) {
  CHECK(status == MOTLEY_INVALID_ARGUMENT);
  CHECK_MESSAGE(std::strstr(error.message, part) != nullptr, std::string(error.message));
}

motley_classifier_config classifier_config(uint64_t seed = 1) {
  return {sizeof(motley_classifier_config), "resnet50", 4, 32, MOTLEY_PRECISION_FP32, MOTLEY_STEM_IMAGENET, -1, -1, seed};
}

Handle<motley_classifier> classifier(uint64_t seed = 1, const motley_weights* weights = nullptr) {
  const auto config = classifier_config(seed);
  motley_classifier* out = nullptr;
  ok(motley_classifier_create(&config, weights, &out, &error));
  return Handle<motley_classifier>(out);
}

motley_trainer_config trainer_config(int32_t batch) {
  return {sizeof(motley_trainer_config),
          batch,
          0,
          0,
          0,
          0.9,
          0.999,
          1e-8,
          0.05,
          0.1,
          0.35,
          1,
          0.75,
          4.0 / 3,
          0.5,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          9,
          kImageNet,
          7};
}

Handle<motley_trainer> trainer(const Handle<motley_classifier>& c, const motley_trainer_config& config) {
  motley_trainer* out = nullptr;
  ok(motley_trainer_create(c.get(), &config, &out, &error));
  return Handle<motley_trainer>(out);
}

/// Images and the pixels that they are read from.
struct Set {
  std::vector<uint8_t> pixels;
  Handle<motley_images> handle;

  const motley_images* get() const { return handle.get(); }
};

Set images(int64_t n, int64_t size = 32) {
  std::vector<uint8_t> pixels(static_cast<size_t>(n * size * size * 3));
  std::vector<int32_t> labels;
  const auto noise = test::fill_input("pixels", {static_cast<int64_t>(pixels.size())}, 40);
  for (int64_t i = 0; i < n; ++i) labels.push_back(static_cast<int32_t>(i % 4));
  for (size_t i = 0; i < pixels.size(); ++i) {
    const size_t image = i / static_cast<size_t>(size * size * 3);
    pixels[i] = static_cast<uint8_t>(128 + noise[i] + 20.0f * static_cast<float>(image % 4) - 30);
  }
  motley_images* out = nullptr;
  ok(motley_images_create(n, size, size, pixels.data(), labels.data(), &out, &error));
  return {std::move(pixels), Handle<motley_images>(out)};
}

struct Run {
  int64_t done = -1, correct = -1;
  double loss = -1;
};

Run run(const Handle<motley_trainer>& t, const Set& set, int64_t epoch, int64_t first, int64_t count, double rate = 1e-3) {
  Run r;
  ok(motley_trainer_run(t.get(), set.get(), epoch, first, count, rate, &r.done, &r.loss, &r.correct, nullptr, nullptr, &error));
  return r;
}

// Every tensor of a classifier, one after the other
std::vector<std::vector<float>> values(const Handle<motley_classifier>& c) {
  int64_t count = 0;
  ok(motley_classifier_tensors(c.get(), &count, &error));
  std::vector<std::vector<float>> all;
  for (int64_t i = 0; i < count; ++i) {
    motley_tensor_info info;
    ok(motley_classifier_tensor(c.get(), i, &info, &error));
    std::vector<float> v(static_cast<size_t>(elements({info.shape, info.shape + info.dims})));
    ok(motley_classifier_read(c.get(), i, v.data(), static_cast<int64_t>(v.size()), &error));
    all.push_back(std::move(v));
  }
  return all;
}

// As a checkpoint would restore it: tensors by name, then optimizer state.
Handle<motley_classifier> restored(const Handle<motley_classifier>& from, const std::vector<std::vector<float>>& tensors) {
  motley_weights* w = nullptr;
  ok(motley_weights_create(&w, &error));
  const Handle<motley_weights> weights(w);
  for (size_t i = 0; i < tensors.size(); ++i) {
    motley_tensor_info info;
    ok(motley_classifier_tensor(from.get(), static_cast<int64_t>(i), &info, &error));
    ok(motley_weights_add(w, info.name, MOTLEY_F32, info.dims, info.shape, tensors[i].data(), static_cast<int64_t>(tensors[i].size() * 4),
                          0, &error));
  }
  return classifier(99, w);
}

void copy_state(const Handle<motley_classifier>& c, const Handle<motley_trainer>& from, const Handle<motley_trainer>& to,
                bool average = false) {
  int64_t count = 0, steps = 0;
  ok(motley_classifier_tensors(c.get(), &count, &error));
  for (int64_t i = 0; i < count; ++i) {
    motley_tensor_info info;
    ok(motley_classifier_tensor(c.get(), i, &info, &error));
    if (!info.trainable) continue;
    std::vector<float> v(static_cast<size_t>(elements({info.shape, info.shape + info.dims})));
    const auto n = static_cast<int64_t>(v.size());
    for (int32_t state : {MOTLEY_STATE_EXP_AVG, MOTLEY_STATE_EXP_AVG_SQ}) {
      ok(motley_trainer_read(from.get(), i, state, v.data(), n, &error));
      ok(motley_trainer_write(to.get(), i, state, v.data(), n, &error));
    }
    if (average) {
      ok(motley_trainer_read(from.get(), i, MOTLEY_STATE_AVERAGE, v.data(), n, &error));
      ok(motley_trainer_write(to.get(), i, MOTLEY_STATE_AVERAGE, v.data(), n, &error));
    }
  }
  ok(motley_trainer_steps(from.get(), &steps, &error));
  ok(motley_trainer_set_steps(to.get(), steps, &error));
}

}  // namespace

TEST_CASE("a fresh ResNet50 is drawn from torchvision's distributions") {
  const auto c = classifier(3);
  const auto all = values(c);
  for (size_t i = 0; i < all.size(); ++i) {
    motley_tensor_info info;
    ok(motley_classifier_tensor(c.get(), static_cast<int64_t>(i), &info, &error));
    const std::string name = info.name;
    CAPTURE(name);
    const auto& v = all[i];
    const double n = static_cast<double>(v.size());
    double mean = 0, square = 0, largest = 0;
    for (float x : v) {
      mean += x / n;
      square += static_cast<double>(x) * x / n;
      largest = std::max(largest, std::abs(static_cast<double>(x)));
    }
    if (info.dims == 4) {  // kaiming normal, fan out: N(0, 2 / (O * KH * KW))
      const double variance = 2.0 / static_cast<double>(info.shape[0] * info.shape[2] * info.shape[3]);
      CHECK(std::abs(mean) < 5 * std::sqrt(variance / n));
      CHECK(std::abs(square / variance - 1) < 5 * std::sqrt(2 / n));
      CHECK(largest > 2.5 * std::sqrt(variance));
    } else if (name.rfind("fc", 0) == 0) {  // U(-1 / sqrt(2048), 1 / sqrt(2048))
      const double bound = 1 / std::sqrt(2048.0);
      CHECK(largest <= bound);
      if (info.dims == 2) CHECK(std::abs(square / (bound * bound / 3) - 1) < 5 * std::sqrt(0.8 / n));
    } else {
      const bool one = name.find("running_var") != std::string::npos || name.find("weight") != std::string::npos;
      CHECK(std::all_of(v.begin(), v.end(), [&](float x) { return x == (one ? 1.0f : 0.0f); }));
    }
  }
  CHECK(all == values(classifier(3)));
  CHECK(all[0] != values(classifier(4))[0]);
}

TEST_CASE("training gives the same weights bit for bit: with other thread counts, and resumed") {
  const auto set = images(11);
  const auto config = trainer_config(4);
  auto train = [&](int threads) {
    ok(motley_runtime_configure(threads, MOTLEY_ISA_AUTO, &error));
    const auto c = classifier();
    const auto t = trainer(c, config);
    CHECK(run(t, set, 0, 0, 100).done == 3);  // 4 + 4 + 3
    run(t, set, 1, 0, 1);
    return values(c);
  };
  const int threads = libtorch::threads();
  const auto once = train(threads);
  CHECK(once == train(1));
  CHECK(once == train(3));
  ok(motley_runtime_configure(threads, MOTLEY_ISA_AUTO, &error));

  auto c = classifier();
  auto t = trainer(c, config);
  run(t, set, 0, 0, 2);
  const auto c2 = restored(c, values(c));
  const auto t2 = trainer(c2, config);
  copy_state(c, t, t2);
  run(t2, set, 0, 2, 1);
  run(t2, set, 1, 0, 1);
  CHECK(once == values(c2));
}

TEST_CASE("every option changes the weights, and resumes to the same bits") {
  const auto set = images(11);
  const auto plain = trainer_config(4);
  std::vector<std::pair<std::string, motley_trainer_config>> options;
  const auto add = [&](const char* name, auto change) {
    auto config = plain;
    change(config);
    options.emplace_back(name, config);
  };
  add("mixup", [](auto& c) { c.mixup = 0.8; });
  add("clipping", [](auto& c) { c.clip_norm = 0.5; });
  add("smoothing", [](auto& c) { c.label_smoothing = 0.3; });
  add("held out", [](auto& c) { c.held_out = 3; });
  add("rotation and resize", [](auto& c) { c.crop_scale_min = 1, c.rotation = 90, c.resize = 40; });
  add("RandAugment", [](auto& c) { c.randaugment_ops = 2; });
  add("all", [](auto& c) { c.mixup = 0.8, c.clip_norm = 0.5, c.ema_decay = 0.9, c.randaugment_ops = 3; });
  std::vector<std::vector<float>> without;
  {
    const auto c = classifier();
    run(trainer(c, plain), set, 0, 0, 2);
    without = values(c);
  }
  for (const auto& [name, config] : options) {
    CAPTURE(name);
    const auto whole = classifier();
    const auto t = trainer(whole, config);
    run(t, set, 0, 0, 1);
    const auto half = restored(whole, values(whole));
    const auto t2 = trainer(half, config);
    copy_state(whole, t, t2, config.ema_decay > 0);
    run(t, set, 0, 1, 1);
    run(t2, set, 0, 1, 1);
    const auto weights = values(whole);
    CHECK(weights != without);
    CHECK(weights == values(half));
    if (config.ema_decay == 0) continue;
    std::vector<float> a(64 * 147), b(64 * 147);
    ok(motley_trainer_read(t.get(), 0, MOTLEY_STATE_AVERAGE, a.data(), 64 * 147, &error));
    ok(motley_trainer_read(t2.get(), 0, MOTLEY_STATE_AVERAGE, b.data(), 64 * 147, &error));
    CHECK(a == b);
    CHECK(a != weights[0]);
  }
}

TEST_CASE("the average of the weights is torch's AveragedModel, and leaves the weights alone") {
  const auto set = images(12);
  auto config = trainer_config(4);
  const auto c = classifier();
  run(trainer(c, config), set, 0, 0, 3);
  config.ema_decay = 0.75;
  const auto averaged = classifier();
  const auto t = trainer(averaged, config);
  std::vector<double> expected;
  std::vector<float> average(64 * 147);
  for (int64_t step = 0; step < 3; ++step) {
    run(t, set, 0, step, 1);
    const std::vector<float> weight = values(averaged)[0];
    if (step == 0) expected.assign(weight.begin(), weight.end());  // a copy
    for (size_t i = 0; i < weight.size(); ++i) expected[i] = 0.75 * expected[i] + 0.25 * static_cast<double>(weight[i]);
    ok(motley_trainer_read(t.get(), 0, MOTLEY_STATE_AVERAGE, average.data(), 64 * 147, &error));
    for (size_t i = 0; i < weight.size(); ++i) REQUIRE(std::abs(average[i] - expected[i]) < 1e-7);
  }
  CHECK(values(averaged) == values(c));
  const auto none = trainer(c, trainer_config(4));
  refused(motley_trainer_read(none.get(), 0, MOTLEY_STATE_AVERAGE, average.data(), 64 * 147, &error), "its ema_decay is 0");
}

TEST_CASE("gradients are clipped to a norm of all of them") {
  const auto x = test::fill_input("x", {4, 3, 32, 32}, 2);
  const int32_t labels[] = {0, 1, 2, 3};
  // After one step from zero, the first moment is 0.1 times the clipped gradient.
  const auto moment_norm = [&](double most) {
    auto config = trainer_config(4);
    config.clip_norm = most;
    const auto c = classifier();
    const auto t = trainer(c, config);
    double loss = 0, sum = 0;
    ok(motley_trainer_step(t.get(), 4, x.data(), labels, 1e-3, &loss, nullptr, &error));
    int64_t count = 0;
    ok(motley_classifier_tensors(c.get(), &count, &error));
    for (int64_t i = 0; i < count; ++i) {
      motley_tensor_info info;
      ok(motley_classifier_tensor(c.get(), i, &info, &error));
      if (!info.trainable) continue;
      std::vector<float> v(static_cast<size_t>(elements({info.shape, info.shape + info.dims})));
      ok(motley_trainer_read(t.get(), i, MOTLEY_STATE_EXP_AVG, v.data(), static_cast<int64_t>(v.size()), &error));
      for (float m : v) sum += 100 * static_cast<double>(m) * m;
    }
    return std::sqrt(sum);
  };
  const double whole = moment_norm(0);
  CHECK(whole > 0.2);
  CHECK(moment_norm(0.125) == doctest::Approx(0.125).epsilon(1e-4));
  CHECK(moment_norm(10 * whole) == whole);
}

TEST_CASE("training learns, and evaluation in both BatchNorm modes sees it") {
  const auto set = images(32);
  const auto c = classifier();
  auto config = trainer_config(16);
  config.crop_scale_min = 1;
  config.label_smoothing = 0;
  const auto t = trainer(c, config);
  double first = 0, last = 0;
  int64_t correct = 0;
  for (int64_t epoch = 0; epoch < 8; ++epoch) {
    const Run r = run(t, set, epoch, 0, 2);
    (epoch == 0 ? first : last) = r.loss / 32;
    correct = r.correct;
  }
  CHECK(last < 0.7 * first);
  CHECK(correct > 20);
  std::vector<float> running(32 * 4), batch(32 * 4), again(32 * 4);
  const auto before = values(c);
  ok(motley_classifier_evaluate(c.get(), set.get(), 0, 32, 32, MOTLEY_BATCHNORM_BATCH, 0, &kImageNet, batch.data(), nullptr, nullptr,
                                &error));
  CHECK(before == values(c));  // running statistics are left alone
  ok(motley_classifier_evaluate(c.get(), set.get(), 0, 32, 32, MOTLEY_BATCHNORM_RUNNING, 0, &kImageNet, running.data(), nullptr, nullptr,
                                &error));
  ok(motley_classifier_evaluate(c.get(), set.get(), 0, 32, 5, MOTLEY_BATCHNORM_RUNNING, 0, &kImageNet, again.data(), nullptr, nullptr,
                                &error));
  CHECK(running == again);  // an image's logits do not depend on its batch
  int64_t right = 0;
  for (int64_t i = 0; i < 32; ++i) {
    right +=
        std::max_element(&batch[static_cast<size_t>(i * 4)], &batch[static_cast<size_t>(i * 4)] + 4) - &batch[static_cast<size_t>(i * 4)] ==
        i % 4;
  }
  CHECK(right > 24);
}

TEST_CASE("an evaluation is the same with any number of threads, reports every image, and can be cancelled") {
  const auto set = images(43);
  const auto c = classifier();
  struct Heard {
    int64_t done = 0, most = 1'000;
    bool in_order = true;
  };
  const auto evaluate = [&](int32_t batchnorm, int64_t batch, Heard& heard, std::vector<float>& logits) {
    return motley_classifier_evaluate(
        c.get(), set.get(), 0, 43, batch, batchnorm, 0, &kImageNet, logits.data(),
        [](void* user, const motley_progress* progress) -> int32_t {
          auto& h = *static_cast<Heard*>(user);
          h.in_order = h.in_order && progress->done > h.done && progress->total == 43;
          h.done = progress->done;
          return h.done >= h.most;
        },
        &heard, &error);
  };
  for (int32_t batchnorm : {MOTLEY_BATCHNORM_RUNNING, MOTLEY_BATCHNORM_BATCH}) {
    for (int64_t batch : {4, 43, 100}) {
      std::vector<float> expected(43 * 4);
      for (int threads : {1, 2, 3}) {
        const Threads scope(threads);
        std::vector<float> logits(43 * 4);
        Heard heard;
        ok(evaluate(batchnorm, batch, heard, logits));
        CHECK(heard.in_order);
        CHECK(heard.done == 43);
        if (threads == 1) expected = logits;
        CHECK(logits == expected);
        if (batch != 4) continue;
        heard = {0, 9, true};
        CHECK(evaluate(batchnorm, batch, heard, logits) == MOTLEY_CANCELLED);
        CHECK(heard.done >= 9);
        if (threads == 1) CHECK(heard.done == 12);  // others may have done more by then
      }
    }
  }
}

TEST_CASE("with batch statistics a last single image joins the batch before it") {
  const auto set = images(9);
  const auto c = classifier();
  const auto logits = [&](int64_t n, int64_t batch) {
    std::vector<float> out(static_cast<size_t>(n) * 4);
    ok(motley_classifier_evaluate(c.get(), set.get(), 0, n, batch, MOTLEY_BATCHNORM_BATCH, 0, &kImageNet, out.data(), nullptr, nullptr,
                                  &error));
    return out;
  };
  CHECK(logits(9, 8) == logits(9, 9));
  CHECK(logits(9, 7) != logits(9, 9));
}

TEST_CASE("with batch statistics a set that is stored class by class is mixed") {
  constexpr int64_t n = 64, batch = 16, kImage = 3 * 32 * 32;
  const auto c = classifier();
  const auto set = images(n);
  const auto order = epoch_order(0, 0, n);
  std::vector<float> all(n * 4), own(batch * 4);
  ok(motley_classifier_evaluate(c.get(), set.get(), 0, n, batch, MOTLEY_BATCHNORM_BATCH, 0, &kImageNet, all.data(), nullptr, nullptr,
                                &error));
  std::vector<uint8_t> pixels;
  const std::vector<int32_t> labels(batch, 0);
  for (int64_t i = 0; i < batch; ++i) {
    const auto first = set.pixels.begin() + order[static_cast<size_t>(i)] * kImage;
    pixels.insert(pixels.end(), first, first + kImage);
  }
  motley_images* raw = nullptr;
  ok(motley_images_create(batch, 32, 32, pixels.data(), labels.data(), &raw, &error));
  const Set some{std::move(pixels), Handle<motley_images>(raw)};
  ok(motley_classifier_evaluate(c.get(), some.get(), 0, batch, batch, MOTLEY_BATCHNORM_BATCH, 0, &kImageNet, own.data(), nullptr, nullptr,
                                &error));
  for (int64_t i = 0; i < batch; ++i) {
    for (int64_t k = 0; k < 4; ++k) {
      CHECK(all[static_cast<size_t>(order[static_cast<size_t>(i)] * 4 + k)] ==
            doctest::Approx(own[static_cast<size_t>(i * 4 + k)]).epsilon(1e-3));
    }
  }
}

TEST_CASE("an epoch's order is a permutation that depends on seed and epoch") {
  for (int64_t n : {1, 2, 100, 1001}) {
    const auto order = epoch_order(1, 2, n);
    CHECK(std::set<int32_t>(order.begin(), order.end()).size() == static_cast<size_t>(n));
    CHECK((*std::min_element(order.begin(), order.end()) == 0 && *std::max_element(order.begin(), order.end()) == n - 1));
    CHECK(order == epoch_order(1, 2, n));
  }
  CHECK(epoch_order(1, 2, 100) != epoch_order(1, 3, 100));
  CHECK(epoch_order(1, 2, 100) != epoch_order(2, 2, 100));
}

TEST_CASE("a preview shows what the network sees; an image's augmentation does not depend on its batch") {
  const auto set = images(10);
  const auto c = classifier();
  const auto t = trainer(c, trainer_config(4));
  constexpr size_t kImage = 3 * 32 * 32;
  std::vector<float> all(10 * kImage), one(kImage);
  std::vector<int32_t> labels(10), label(1);
  ok(motley_trainer_preview(t.get(), set.get(), 3, 0, 10, all.data(), labels.data(), &error));
  for (int64_t i = 0; i < 10; ++i) {
    ok(motley_trainer_preview(t.get(), set.get(), 3, i, 1, one.data(), label.data(), &error));
    CHECK(std::equal(one.begin(), one.end(), all.begin() + static_cast<int64_t>(kImage) * i));
    CHECK(label[0] == labels[static_cast<size_t>(i)]);
  }
  refused(motley_trainer_preview(t.get(), set.get(), 3, 8, 3, all.data(), labels.data(), &error), "entries [8, 11) of a set of 10");
}

TEST_CASE("images that are held out are drawn by the seed and never trained on") {
  const std::vector<int32_t> kept = kept_images(7, 100, 30);
  CHECK(kept.size() == 70);
  CHECK(std::is_sorted(kept.begin(), kept.end()));
  CHECK(std::set<int32_t>(kept.begin(), kept.end()).size() == 70);
  CHECK((kept.front() >= 0 && kept.back() < 100));
  CHECK(kept == kept_images(7, 100, 30));
  CHECK(kept != kept_images(8, 100, 30));

  const auto c = classifier();
  auto config = trainer_config(4);
  config.crop_scale_min = 1;
  config.flip = 0;
  config.held_out = 5;
  const auto t = trainer(c, config);
  constexpr int64_t n = 13, kImage = 3 * 32 * 32;  // each image of one shade: its number
  std::vector<uint8_t> pixels(n * kImage);
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(i / kImage);
  const std::vector<int32_t> labels(n, 1);
  motley_images* raw = nullptr;
  ok(motley_images_create(n, 32, 32, pixels.data(), labels.data(), &raw, &error));
  const Set set{std::move(pixels), Handle<motley_images>(raw)};
  std::vector<float> inputs(8 * kImage);
  std::vector<int32_t> taken(8);
  for (int64_t epoch : {0, 1, 9}) {
    ok(motley_trainer_preview(t.get(), set.get(), epoch, 0, 8, inputs.data(), taken.data(), &error));
    std::vector<int32_t> seen;
    for (size_t i = 0; i < 8; ++i) {
      seen.push_back(static_cast<int32_t>(std::lround((inputs[i * kImage] * 0.229f + 0.485f) * 255)));
    }
    std::sort(seen.begin(), seen.end());
    CHECK(seen == kept_images(7, n, 5));
  }
  refused(motley_trainer_preview(t.get(), set.get(), 0, 0, 9, inputs.data(), taken.data(), &error), "entries [0, 9) of a set of 8");
  CHECK(run(t, set, 0, 0, 100).done == 2);
  Run r;
  const auto few = images(5);
  refused(motley_trainer_run(t.get(), few.get(), 0, 0, 1, 1e-3, &r.done, &r.loss, &r.correct, nullptr, nullptr, &error),
          "held_out leaves nothing of 5 images");
}

TEST_CASE("pictures that are resized and cropped may have any size, in training and in tests") {
  const auto c = classifier();
  auto config = trainer_config(4);
  config.crop_scale_min = 1;
  config.rotation = 90;
  config.resize = 40;
  const auto t = trainer(c, config);
  const auto set = images(8, 20);
  std::vector<float> logits(8 * 4), own(8 * 4), inputs(8 * 3 * 32 * 32);
  std::vector<int32_t> labels(8);
  ok(motley_trainer_preview(t.get(), set.get(), 0, 0, 8, inputs.data(), labels.data(), &error));
  CHECK(std::count(inputs.begin(), inputs.end(), (0.0f - 0.485f) / 0.229f) > 0);  // corners that turned in
  CHECK(run(t, set, 0, 0, 2).done == 2);
  ok(motley_classifier_evaluate(c.get(), set.get(), 0, 8, 8, MOTLEY_BATCHNORM_RUNNING, 40, &kImageNet, logits.data(), nullptr, nullptr,
                                &error));
  // The same by hand: bilinear to 40 x 40, of which the rows and columns from 4 on are seen
  std::vector<uint8_t> pixels(8 * 20 * 20 * 3);
  const auto noise = test::fill_input("pixels", {static_cast<int64_t>(pixels.size())}, 40);
  for (size_t i = 0; i < pixels.size(); ++i)
    pixels[i] = static_cast<uint8_t>(128 + noise[i] + 20.0f * static_cast<float>(i / 1200 % 4) - 30);
  for (int64_t i = 0; i < 8; ++i) {
    for (int64_t k = 0; k < 3; ++k) {
      for (int64_t y = 0; y < 32; ++y) {
        for (int64_t x = 0; x < 32; ++x) {
          const double v = std::max(0.0, (static_cast<double>(y + 4) + 0.5) / 2 - 0.5),
                       h = std::max(0.0, (static_cast<double>(x + 4) + 0.5) / 2 - 0.5);
          const auto at = [&](int64_t row, int64_t column) {
            return static_cast<double>(pixels[static_cast<size_t>(((i * 20 + row) * 20 + column) * 3 + k)]);
          };
          const auto y0 = static_cast<int64_t>(v), x0 = static_cast<int64_t>(h);
          const double fy = v - static_cast<double>(y0), fx = h - static_cast<double>(x0);
          const double value =
              (1 - fy) * ((1 - fx) * at(y0, x0) + fx * at(y0, x0 + 1)) + fy * ((1 - fx) * at(y0 + 1, x0) + fx * at(y0 + 1, x0 + 1));
          const auto channel = static_cast<size_t>(k);
          inputs[static_cast<size_t>(((i * 3 + k) * 32 + y) * 32 + x)] =
              (static_cast<float>(value) / 255 - kImageNet.mean[channel]) / kImageNet.std[channel];
        }
      }
    }
  }
  ok(motley_classifier_forward(c.get(), 8, inputs.data(), MOTLEY_BATCHNORM_RUNNING, own.data(), &error));
  for (size_t i = 0; i < own.size(); ++i) CHECK(logits[i] == doctest::Approx(own[i]).epsilon(1e-3));
  refused(motley_classifier_evaluate(c.get(), set.get(), 0, 8, 8, MOTLEY_BATCHNORM_RUNNING, 31, &kImageNet, logits.data(), nullptr, nullptr,
                                     &error),
          "images of 20 x 20 resized to 31 for a classifier of 32 x 32");
}

TEST_CASE("training is cancelled by its callback, and says how far it came") {
  const auto set = images(20);
  const auto c = classifier();
  const auto t = trainer(c, trainer_config(4));
  Run r;
  auto stop = [](void* user, const motley_progress* p) -> int32_t {
    auto& seen = *static_cast<std::vector<motley_progress>*>(user);
    seen.push_back(*p);
    return p->done == 2;
  };
  std::vector<motley_progress> seen;
  CHECK(motley_trainer_run(t.get(), set.get(), 0, 0, 5, 1e-3, &r.done, &r.loss, &r.correct, stop, &seen, &error) == MOTLEY_CANCELLED);
  CHECK(r.done == 2);
  REQUIRE(seen.size() == 2);
  CHECK(seen[1].total == 5);
  CHECK(r.loss == doctest::Approx(4 * (seen[0].value + seen[1].value)));
  int64_t steps = 0;
  ok(motley_trainer_steps(t.get(), &steps, &error));
  CHECK(steps == 2);
}

TEST_CASE("a loss that is not finite stops the training and names epoch and step") {
  const auto set = images(8);
  const auto c = classifier();
  const auto t = trainer(c, trainer_config(4));
  Run r;
  CHECK(motley_trainer_run(t.get(), set.get(), 2, 0, 2, 1e30, &r.done, &r.loss, &r.correct, nullptr, nullptr, &error) == MOTLEY_NOT_FINITE);
  CHECK(std::string(error.message).find("epoch 2, step 1: the loss is not finite") == 0);
  CHECK(r.done == 1);
  auto all = trainer_config(4);
  all.mixup = 0.4, all.ema_decay = 0.9, all.clip_norm = 1;
  const auto own = classifier();
  const auto with = trainer(own, all);
  CHECK(motley_trainer_run(with.get(), set.get(), 2, 0, 2, 1e30, &r.done, &r.loss, &r.correct, nullptr, nullptr, &error) ==
        MOTLEY_NOT_FINITE);
  CHECK(std::string(error.message).find("epoch 2, step 1: the loss is not finite") == 0);
}

TEST_CASE("gradients alone change nothing else") {
  const auto c = classifier();
  const auto t = trainer(c, trainer_config(4));
  const auto before = values(c);
  const auto x = test::fill_input("x", {4, 3, 32, 32}, 2);
  const int32_t labels[] = {0, 1, 2, 3};
  double loss = 0;
  std::vector<float> logits(16), gradient(64);
  ok(motley_trainer_step(t.get(), 4, x.data(), labels, NAN, &loss, logits.data(), &error));
  CHECK(before == values(c));
  ok(motley_trainer_read(t.get(), 1, MOTLEY_STATE_GRADIENT, gradient.data(), 64, &error));
  CHECK(std::any_of(gradient.begin(), gradient.end(), [](float g) { return g != 0; }));
  double again = 0;
  ok(motley_trainer_step(t.get(), 4, x.data(), labels, 1e-3, &again, nullptr, &error));
  CHECK(again == loss);
  CHECK(before != values(c));
}

TEST_CASE("bad input is refused with one clear line") {
  const auto set = images(9);
  motley_classifier* out = nullptr;
  auto config = classifier_config();
  config.architecture = "resnet18";
  refused(motley_classifier_create(&config, nullptr, &out, &error), "unknown architecture \"resnet18\": expected one of resnet50");
  config = classifier_config();
  config.classes = 0;
  refused(motley_classifier_create(&config, nullptr, &out, &error), "classes must be in");
  config = classifier_config();
  config.struct_size = 8;
  refused(motley_classifier_create(&config, nullptr, &out, &error), "struct_size");
  motley_weights* w = nullptr;
  ok(motley_weights_create(&w, &error));
  const Handle<motley_weights> weights(w);
  const int64_t shape[] = {64, 3, 3, 3};
  const std::vector<float> data(64 * 27);
  ok(motley_weights_add(w, "conv1.weight", MOTLEY_F32, 4, shape, data.data(), 64 * 27 * 4, 0, &error));
  config = classifier_config();
  refused(motley_classifier_create(&config, w, &out, &error), "conv1.weight has shape (64, 3, 3, 3), expected (64, 3, 7, 7)");

  const auto c = classifier();
  motley_trainer* t = nullptr;
  auto refuse = [&](auto change, const char* part) {
    auto bad = trainer_config(4);
    change(bad);
    refused(motley_trainer_create(c.get(), &bad, &t, &error), part);
  };
  refuse([](auto& b) { b.batch = 0; }, "batch must be at least 1, got 0");
  refuse([](auto& b) { b.beta1 = 1; }, "beta1 must be in [0, 1), got 1");
  refuse([](auto& b) { b.weight_decay = NAN; }, "weight_decay");
  refuse([](auto& b) { b.label_smoothing = -0.1; }, "label_smoothing");
  refuse([](auto& b) { b.crop_scale_min = 0; }, "crop scale");
  refuse([](auto& b) { b.crop_ratio_max = INFINITY; }, "crop ratio");
  refuse([](auto& b) { b.flip = 2; }, "flip must be in [0, 1], got 2");
  refuse([](auto& b) { b.normalisation.std[1] = 0; }, "std[1]");
  refuse([](auto& b) { b.rotation = 181; }, "rotation must be in [0, 180], got 181");
  refuse([](auto& b) { b.resize = 31; }, "resize must be 0 or in [32, 16384], got 31");
  refuse([](auto& b) { b.resize = 40; }, "resize and a crop scale below 1 exclude each other");
  refuse([](auto& b) { b.mixup = -0.1; }, "mixup must be in [0, 1000], got -0.1");
  refuse([](auto& b) { b.ema_decay = 1; }, "ema_decay must be in [0, 1), got 1");
  refuse([](auto& b) { b.clip_norm = NAN; }, "clip_norm must not be negative, got nan");
  refuse([](auto& b) { b.randaugment_ops = 17; }, "randaugment_ops must be in [0, 16], got 17");
  refuse([](auto& b) { b.randaugment_magnitude = 31; }, "randaugment_magnitude must be in [0, 30], got 31");
  refuse([](auto& b) { b.held_out = -1; }, "held_out must not be negative, got -1");

  const auto good = trainer(c, trainer_config(4));
  Run r;
  auto train = [&](const Set& i, int64_t epoch, int64_t first, double rate) {
    return motley_trainer_run(good.get(), i.get(), epoch, first, 1, rate, &r.done, &r.loss, &r.correct, nullptr, nullptr, &error);
  };
  refused(train(set, 0, 0, 1e-3), "9 images in batches of 4 leave a batch of one image");
  const auto eight = images(8);
  refused(train(eight, -1, 0, 1e-3), "epoch must be in");
  refused(train(eight, 0, 3, 1e-3), "first step 3 is outside [0, 2]");
  refused(train(eight, 0, 0, -1), "learning_rate");
  CHECK(r.done == 0);
  std::vector<uint8_t> pixels(3 * 4);
  const int32_t labels[] = {4};
  motley_images* raw = nullptr;
  refused(motley_images_create(0, 2, 2, pixels.data(), labels, &raw, &error), "number of images");
  ok(motley_images_create(1, 2, 2, pixels.data(), labels, &raw, &error));
  const Set tiny{std::move(pixels), Handle<motley_images>(raw)};
  refused(train(tiny, 0, 0, 1e-3), "image 0 has label 4, the classifier has 4 classes");
  std::vector<float> logits(4);
  refused(motley_classifier_evaluate(c.get(), tiny.get(), 0, 1, 1, 0, 0, &kImageNet, logits.data(), nullptr, nullptr, &error),
          "images of 2 x 2 for a classifier of 32 x 32");
  refused(motley_classifier_evaluate(c.get(), eight.get(), 4, 5, 1, 0, 0, &kImageNet, logits.data(), nullptr, nullptr, &error),
          "images [4, 9) of a set of 8");
  refused(motley_classifier_evaluate(c.get(), eight.get(), 0, 1, 1, 7, 0, &kImageNet, logits.data(), nullptr, nullptr, &error),
          "batchnorm");
  refused(motley_classifier_read(c.get(), 0, logits.data(), 4, &error), "conv1.weight (64, 3, 7, 7) has 9408 elements, the buffer holds 4");
  refused(motley_classifier_read(c.get(), 1000, logits.data(), 4, &error), "tensor index 1000");
  refused(motley_trainer_read(good.get(), 200, 0, logits.data(), 4, &error), "is not trained");
  refused(motley_trainer_write(good.get(), 1, 0, data.data(), 64, &error), "gradients are read only");
  refused(motley_trainer_create(nullptr, nullptr, &t, &error), "NULL");
  refused(motley_trainer_run(nullptr, nullptr, 0, 0, 1, 1, nullptr, nullptr, nullptr, nullptr, nullptr, &error), "NULL");
  motley_trainer_destroy(nullptr);
  motley_classifier_destroy(nullptr);
  motley_images_destroy(nullptr);
}

TEST_CASE("handles give back all their memory") {
  const int64_t before = motley_live_bytes();
  {
    const auto set = images(8);
    const auto c = classifier();
    const auto t = trainer(c, trainer_config(4));
    run(t, set, 0, 0, 2);
  }
  CHECK(motley_live_bytes() == before);
}
