// SPDX-License-Identifier: Apache-2.0
// The kernels of what a recipe may add to a training, against their float64 references and over awkward sizes.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "kernels/cpu/adamw.h"
#include "kernels/cpu/cross_entropy.h"
#include "kernels/cpu/ema.h"
#include "kernels/cpu/gradient_norm.h"
#include "kernels/cpu/mixup.h"
#include "support/compare.h"
#include "support/threads.h"

using namespace motley;
using namespace motley::kernels;
using test::kUnit, test::on_every_isa, test::wide;

namespace {

std::vector<float> random(const char* name, int64_t n, double scale = 1) { return test::fill_input(name, {n}, scale); }

}  // namespace

TEST_CASE("cross-entropy against a share of two labels") {
  on_every_isa([] {
    for (int64_t classes : {2, 3, 10, 17, 100}) {
      for (double smoothing : {0.0, 0.1}) {
        for (float share : {0.0f, 0.25f, 0.5f, 0.8125f, 1.0f}) {
          const int64_t rows = 5;
          const auto logits = random("logits", rows * classes, 9);
          std::vector<int32_t> labels, others;
          for (int64_t r = 0; r < rows; ++r) {
            labels.push_back(static_cast<int32_t>(r * 7 % classes));
            others.push_back(static_cast<int32_t>(r == 3 ? labels.back() : (r * 5 + 1) % classes));  // once the same
          }
          const Targets targets{labels.data(), others.data(), share};
          std::vector<double> losses(5), losses64(5), gradient64(logits.size());
          std::vector<float> gradient(logits.size());
          std::vector<uint8_t> right(5), right64(5);
          cross_entropy_kernels().cross_entropy(logits.data(), targets, rows, classes, static_cast<float>(smoothing), 0.2f, losses.data(),
                                                gradient.data(), right.data());
          reference::cross_entropy(wide(logits).data(), targets, rows, classes, smoothing, 0.2, losses64.data(), gradient64.data(),
                                   right64.data());
          for (size_t r = 0; r < 5; ++r) CHECK(losses[r] == doctest::Approx(losses64[r]).epsilon(1e-6));
          for (size_t i = 0; i < gradient.size(); ++i) CHECK(std::abs(gradient[i] - gradient64[i]) < 8 * kUnit);
          CHECK(right == right64);
          // The reference itself: the loss of a mixture is the mixture of the losses.
          std::vector<double> one(5), other(5);
          reference::cross_entropy(wide(logits).data(), {labels.data()}, rows, classes, smoothing, 0.2, one.data(), gradient64.data(),
                                   right64.data());
          reference::cross_entropy(wide(logits).data(), {others.data()}, rows, classes, smoothing, 0.2, other.data(), gradient64.data(),
                                   right64.data());
          const double s = static_cast<double>(share);
          for (size_t r = 0; r < 5; ++r) CHECK(losses64[r] == doctest::Approx(s * one[r] + (1 - s) * other[r]).epsilon(1e-12));
        }
      }
    }
  });
}

TEST_CASE("AdamW on scaled gradients is AdamW on the gradients times the scale") {
  on_every_isa([] {
    for (int64_t n : {1, 3, 17, 100}) {
      auto p = random("p", n), m = random("m", n, 0.1), v = random("v", n, 0.1);
      for (float& x : v) x = std::abs(x);
      const auto g = random("g", n);
      auto p64 = wide(p), m64 = wide(m), v64 = wide(v);
      const AdamwStep how{1e-2, 0.9, 0.999, 1e-8, 0.05, 3, 0.25};
      adamw({{p.data(), g.data(), m.data(), v.data(), n}}, how);
      auto scaled = wide(g);
      for (double& x : scaled) x *= 0.25;
      AdamwStep plain = how;
      plain.gradient_scale = 1;
      reference::adamw(p64.data(), scaled.data(), m64.data(), v64.data(), n, plain);
      for (size_t i = 0; i < p.size(); ++i) {
        CHECK(std::abs(p[i] - p64[i]) < 1e-6);
        CHECK(std::abs(m[i] - m64[i]) < 1e-7);
        CHECK(std::abs(v[i] - v64[i]) < 1e-7);
      }
    }
  });
}

TEST_CASE("moving average of weights over several tensors") {
  on_every_isa([] {
    const std::vector<int64_t> sizes{1, 3, 17, 64, 100, 70'000};
    for (double decay : {0.0, 0.5, 0.9, 0.9999}) {
      std::vector<std::vector<float>> averages, weights;
      std::vector<EmaTensor> tensors;
      for (int64_t n : sizes) averages.push_back(random("average", n)), weights.push_back(random("weight", n));
      auto before = averages;
      for (size_t i = 0; i < sizes.size(); ++i) tensors.push_back({averages[i].data(), weights[i].data(), sizes[i]});
      ema(tensors, decay);
      for (size_t i = 0; i < sizes.size(); ++i) {
        auto expected = wide(before[i]);
        reference::ema(expected.data(), wide(weights[i]).data(), sizes[i], decay);
        for (size_t k = 0; k < expected.size(); ++k) REQUIRE(std::abs(averages[i][k] - expected[k]) < 4 * kUnit);
      }
    }
  });
  std::vector<float> zero(5, 0.0f);
  const auto weight = random("w", 5);
  ema({{zero.data(), weight.data(), 5}}, 0);
  CHECK(zero == weight);  // the first step's copy, bit for bit
}

TEST_CASE("norm of all gradients, the same with any number of threads") {
  on_every_isa([] {
    std::vector<std::vector<float>> values;
    std::vector<GradientTensor> tensors;
    double sum = 0;
    for (int64_t n : {1, 3, 17, 64, 100, 16'384, 40'000}) values.push_back(random("g", n, 3));
    for (const auto& v : values) {
      tensors.push_back({v.data(), static_cast<int64_t>(v.size())});
      sum += reference::sum_of_squares(wide(v).data(), static_cast<int64_t>(v.size()));
    }
    const double norm = gradient_norm(tensors);
    CHECK(norm == doctest::Approx(std::sqrt(sum)).epsilon(1e-12));
    for (int threads : {1, 2, 3}) {
      const Threads scope(threads);
      CHECK(gradient_norm(tensors) == norm);
    }
    values.back()[7] = NAN;
    CHECK(std::isnan(gradient_norm(tensors)));
    values.back()[7] = 1e30f;  // whose square is beyond float32
    CHECK(gradient_norm(tensors) == doctest::Approx(1e30).epsilon(1e-6));
  });
  CHECK(clip_factor(0.5, 1) == 1);
  CHECK(clip_factor(4, 1) == doctest::Approx(1 / (4 + 1e-6)).epsilon(1e-15));
  CHECK(clip_factor(0, 1) == 1);
}

TEST_CASE("mixup takes a share of each image and the rest of the one before it") {
  on_every_isa([] {
    for (int64_t n : {1, 2, 5}) {
      for (int64_t values : {1, 3, 17, 100, 192}) {
        const auto x = random("x", n * values);
        std::vector<float> y(x.size());
        std::vector<double> y64(x.size());
        const double share = 0.3125;
        mixup(x.data(), n, values, share, y.data());
        reference::mixup(wide(x).data(), n, values, share, y64.data());
        for (size_t i = 0; i < y.size(); ++i) REQUIRE(std::abs(y[i] - y64[i]) < 4 * kUnit);
      }
    }
  });
}

TEST_CASE("a batch's share is drawn from the Beta distribution, by seed, epoch and step") {
  CHECK(draw_share(0.2, 1, 2, 3) == draw_share(0.2, 1, 2, 3));
  CHECK(draw_share(0.2, 1, 2, 3) != draw_share(0.2, 2, 2, 3));
  CHECK(draw_share(0.2, 1, 2, 3) != draw_share(0.2, 1, 3, 3));
  CHECK(draw_share(0.2, 1, 2, 3) != draw_share(0.2, 1, 2, 4));
  constexpr int kDraws = 40'000;
  for (double alpha : {0.01, 0.2, 1.0, 2.5, 1000.0}) {
    CAPTURE(alpha);
    double mean = 0, square = 0, fourth = 0;
    for (uint64_t i = 0; i < kDraws; ++i) {
      const double s = draw_share(alpha, 9, i / 100, i % 100), d = s - 0.5;
      REQUIRE((s >= 0 && s <= 1));
      mean += d / kDraws, square += d * d / kDraws, fourth += d * d * d * d / kDraws;
    }
    const double variance = 1 / (4 * (2 * alpha + 1));  // of Beta(alpha, alpha); its fourth central moment:
    const double moment4 = 3.0 / (16 * (2 * alpha + 1) * (2 * alpha + 3));
    CHECK(std::abs(mean) < 5 * std::sqrt(variance / kDraws));
    CHECK(std::abs(square - variance) < 5 * std::sqrt((moment4 - variance * variance) / kDraws));
    CHECK(fourth == doctest::Approx(moment4).epsilon(0.06));
  }
}
