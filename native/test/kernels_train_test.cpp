// SPDX-License-Identifier: Apache-2.0
// The training kernels against their float64 references, on every instruction set of this CPU and over awkward sizes.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/cpu/adamw.h"
#include "kernels/cpu/batch_norm.h"
#include "kernels/cpu/cross_entropy.h"
#include "kernels/cpu/pooling.h"
#include "kernels/philox.h"
#include "libtorch/convert.h"
#include "support/compare.h"
#include "support/threads.h"

using namespace motley;
using namespace motley::kernels;
using test::kUnit, test::on_every_isa, test::wide;

namespace {

std::vector<float> random(const char* name, int64_t n, double scale = 1, double offset = 0) {
  auto v = test::fill_input(name, {n}, scale);
  for (float& x : v) x += static_cast<float>(offset);
  return v;
}

// Largest |a - b| over the largest |b|, or over `scale` where b is what cancellation left of larger terms
template <typename T>
double relative(const std::vector<T>& a, const std::vector<double>& b, double scale = 1e-30) {
  double error = 0, largest = scale;
  for (size_t i = 0; i < b.size(); ++i) {
    error = std::max(error, std::abs(static_cast<double>(to_float(a[i])) - b[i]));
    largest = std::max(largest, std::abs(b[i]));
  }
  return error / largest;
}

template <typename T>
std::vector<T> as(const std::vector<float>& v) {
  std::vector<T> out;
  for (float x : v) out.push_back(from_float<T>(x));
  return out;
}

struct NormCase {
  int64_t rows, channels;
  Activation activation;
  bool residual;
};

// One forward and backward against the reference. T is float or bf16 (whose own rounding is then the bound).
template <typename T>
void check_batch_norm(const NormCase& k, double bound) {
  CAPTURE(k.rows);
  CAPTURE(k.channels);
  CAPTURE(static_cast<int>(k.activation));
  CAPTURE(k.residual);
  constexpr double kEps = 1e-5;
  const int64_t n = k.rows * k.channels, c = k.channels;
  const auto x = as<T>(random("x", n, 1.0, 3.0)), r = as<T>(random("r", n));
  auto dy = as<T>(random("dy", n));
  const auto gamma = random("gamma", c, 0.5, 1.0), beta = random("beta", c, 0.5);
  auto widened = [](const std::vector<T>& v) {
    std::vector<double> out;
    for (T e : v) out.push_back(to_float(e));
    return out;
  };
  const auto x64 = widened(x), r64 = widened(r), gamma64 = wide(gamma), beta64 = wide(beta);
  std::vector<double> y64(x64.size()), dx64(x64.size()), dz64(x64.size()), mean64(gamma.size());
  auto variance64 = mean64, dgamma64 = mean64, dbeta64 = mean64;
  const double* residual64 = k.residual ? r64.data() : nullptr;
  // Where rounding could change on which side of a corner an element lies the gradient is 0.
  reference::batch_norm(x64.data(), k.rows, c, gamma64.data(), beta64.data(), kEps, residual64, Activation::none, y64.data(), mean64.data(),
                        variance64.data());
  for (size_t i = 0; i < dy.size(); ++i) {
    for (double corner : {-3.0, 0.0, 3.0}) {
      if (std::abs(y64[i] - corner) < 1e-4) dy[i] = T{};
    }
  }
  const auto dy64 = widened(dy);
  reference::batch_norm(x64.data(), k.rows, c, gamma64.data(), beta64.data(), kEps, residual64, k.activation, y64.data(), mean64.data(),
                        variance64.data());
  reference::batch_norm_backward(dy64.data(), x64.data(), k.rows, c, gamma64.data(), beta64.data(), kEps, residual64, k.activation,
                                 dgamma64.data(), dbeta64.data(), dx64.data(), dz64.data());

  std::vector<double> mean(static_cast<size_t>(c)), variance(static_cast<size_t>(c));
  batch_moments(x.data(), k.rows, c, mean.data(), variance.data());
  std::vector<float> m(mean.begin(), mean.end()), invstd, scale(static_cast<size_t>(c)), shift(static_cast<size_t>(c));
  for (double v : variance) invstd.push_back(static_cast<float>(1 / std::sqrt(v + kEps)));
  batch_norm_fold(c, gamma.data(), beta.data(), m.data(), invstd.data(), scale.data(), shift.data());
  std::vector<T> y(static_cast<size_t>(n)), dx(y.size()), dz(y.size());
  std::vector<uint8_t> bits(static_cast<size_t>(k.rows * gate_pitch(c)));
  batch_norm_apply(x.data(), k.rows, c, scale.data(), shift.data(), k.residual ? r.data() : nullptr, k.activation, y.data(),
                   k.activation == Activation::relu && k.residual ? bits.data() : nullptr);
  const Gate gate = k.activation == Activation::none         ? Gate::none
                    : k.activation == Activation::hard_swish ? Gate::hard_swish
                    : k.residual                             ? Gate::relu_bits
                                                             : Gate::relu;
  std::vector<float> dgamma(static_cast<size_t>(c)), dbeta(dgamma);
  batch_norm_backward(dy.data(), x.data(), k.rows, c, gamma.data(), beta.data(), m.data(), invstd.data(), gate, bits.data(), dgamma.data(),
                      dbeta.data(), dx.data(), k.residual ? dz.data() : nullptr);

  for (size_t i = 0; i < mean.size(); ++i) {
    CHECK(std::abs(mean[i] - mean64[i]) <= 8 * kUnit * std::abs(mean64[i]));
    const double origin = x64[i] - mean64[i];  // sums are taken from the first row
    CHECK(std::abs(variance[i] - variance64[i]) <= 16 * kUnit * (variance64[i] + origin * origin));
  }
  const double term = 4.0 * *std::max_element(scale.begin(), scale.end());  // x * scale, before the mean is taken off
  CHECK(relative(y, y64, term) < bound);
  if (k.rows < 2) return;  // one value per channel: dx is 0 but for rounding
  CHECK(relative(dgamma, dgamma64, term) < 64 * kUnit);
  // (hard-swish's slope carries the rounding of x * scale)
  CHECK(relative(dbeta, dbeta64, k.activation == Activation::hard_swish ? term : 1.0) < 64 * kUnit);
  CHECK(relative(dx, dx64, term) < 2 * bound);
  if (k.residual) CHECK(relative(dz, dz64) < bound);

  auto own_x = x, own_dy = dy;  // in place: the same bits
  batch_norm_backward(own_dy.data(), own_x.data(), k.rows, c, gamma.data(), beta.data(), m.data(), invstd.data(), gate, bits.data(),
                      dgamma.data(), dbeta.data(), own_x.data(), k.residual ? own_dy.data() : nullptr);
  CHECK(std::memcmp(own_x.data(), dx.data(), dx.size() * sizeof(T)) == 0);
  if (k.residual) CHECK(std::memcmp(own_dy.data(), dz.data(), dz.size() * sizeof(T)) == 0);
}

}  // namespace

constexpr std::pair<Activation, bool> kModes[] = {{Activation::none, false},
                                                  {Activation::none, true},
                                                  {Activation::relu, false},
                                                  {Activation::relu, true},
                                                  {Activation::hard_swish, false}};

TEST_CASE("BatchNorm with its activations and residual, forward and backward") {
  on_every_isa([] {
    for (int64_t rows : {1, 2, 3, 17, 100, 531}) {
      for (int64_t channels : {1, 3, 8, 17, 64, 100, 512, 600}) {
        for (const auto& [activation, residual] : kModes) {
          const NormCase k{rows, channels, activation, residual};
          check_batch_norm<float>(k, 48 * kUnit);
          check_batch_norm<bf16>(k, 0x1p-8);
        }
      }
    }
  });
}

TEST_CASE("BatchNorm's moments keep their digits when the mean is large beside the spread") {
  on_every_isa([] {
    const int64_t rows = 1000, channels = 5;
    const auto x = random("x", rows * channels, 0.01, 100.0);
    std::vector<double> mean(5), variance(5), mean64(5), variance64(5), y(x.size()), one(5, 1.0);
    batch_moments(x.data(), rows, channels, mean.data(), variance.data());
    const auto x64 = wide(x);
    reference::batch_norm(x64.data(), rows, channels, one.data(), one.data(), 0, nullptr, Activation::none, y.data(), mean64.data(),
                          variance64.data());
    for (size_t c = 0; c < 5; ++c) CHECK(variance[c] == doctest::Approx(variance64[c]).epsilon(1e-6));
  });
}

TEST_CASE("BatchNorm gives the same bits for any number of threads") {
  const int64_t rows = 1003;
  for (int64_t channels : {64, 768}) {
    const auto x = random("x", rows * channels), dy = random("dy", rows * channels), gamma = random("g", channels);
    std::vector<double> mean[2], variance[2];
    std::vector<float> dx[2], dgamma[2];
    const std::vector<float> zero(static_cast<size_t>(channels), 0), one(static_cast<size_t>(channels), 1);
    for (int threads : {1, 2}) {
      const Threads scope(threads);
      const int i = threads - 1;
      mean[i].resize(zero.size()), variance[i].resize(zero.size()), dx[i].resize(x.size()), dgamma[i].resize(zero.size());
      std::vector<float> dbeta(zero.size());
      batch_moments(x.data(), rows, channels, mean[i].data(), variance[i].data());
      batch_norm_backward<float>(dy.data(), x.data(), rows, channels, gamma.data(), zero.data(), zero.data(), one.data(), Gate::relu,
                                 nullptr, dgamma[i].data(), dbeta.data(), dx[i].data(), nullptr);
    }
    CHECK(mean[0] == mean[1]);
    CHECK(variance[0] == variance[1]);
    CHECK(dgamma[0] == dgamma[1]);
    CHECK(dx[0] == dx[1]);
  }
}

TEST_CASE("maximum pooling, forward and backward") {
  on_every_isa([] {
    for (int64_t h : {1, 2, 3, 7, 16}) {
      for (int64_t w : {1, 5, 8}) {
        for (int64_t c : {1, 3, 17, 64}) {
          const int64_t out = max_pool_size(h) * max_pool_size(w) * c;
          auto x = random("x", h * w * c);
          for (size_t i = 0; i < x.size(); i += 3) x[i] = 0.5f;  // ties: the first wins
          const auto dy = random("dy", out);
          std::vector<float> y(static_cast<size_t>(out)), dx(x.size());
          std::vector<uint8_t> taps(y.size()), taps64(y.size());
          std::vector<double> y64(y.size()), dx64(x.size());
          pooling_loops<float>().max_pool(x.data(), h, w, c, y.data(), taps.data());
          reference::max_pool(wide(x).data(), h, w, c, y64.data(), taps64.data());
          CHECK(wide(y) == y64);
          CHECK(taps == taps64);
          pooling_loops<float>().max_pool_backward(dy.data(), taps.data(), h, w, c, dx.data());
          reference::max_pool_backward(wide(dy).data(), taps64.data(), h, w, c, dx64.data());
          CHECK(relative(dx, dx64) < 2 * kUnit);
        }
      }
    }
    const std::vector<float> nan{1, NAN, 3, 4};
    float y = 0;
    pooling_loops<float>().max_pool(nan.data(), 2, 2, 1, &y, nullptr);
    CHECK(std::isnan(y));
  });
}

TEST_CASE("average pooling") {
  on_every_isa([] {
    for (int64_t pixels : {1, 3, 49}) {
      for (int64_t c : {1, 17, 64}) {
        const auto x = random("x", pixels * c);
        std::vector<float> y(static_cast<size_t>(c)), dx(x.size());
        std::vector<double> y64(y.size());
        pooling_loops<float>().mean(x.data(), pixels, c, y.data());
        reference::mean(wide(x).data(), pixels, c, y64.data());
        CHECK(relative(y, y64) < 16 * kUnit);
        pooling_loops<float>().mean_backward(y.data(), pixels, c, dx.data());
        for (size_t i = 0; i < dx.size(); ++i) {
          CHECK(dx[i] == doctest::Approx(y[i % static_cast<size_t>(c)] / static_cast<double>(pixels)));
        }
      }
    }
  });
}

TEST_CASE("softmax cross-entropy with label smoothing, forward and backward") {
  on_every_isa([] {
    for (int64_t classes : {1, 2, 3, 10, 17, 100, 1000}) {
      for (double smoothing : {0.0, 0.1}) {
        const int64_t rows = 5;
        auto logits = random("logits", rows * classes, 20);
        std::vector<int32_t> labels;
        for (int64_t r = 0; r < rows; ++r) labels.push_back(static_cast<int32_t>(r * 7 % classes));
        if (classes > 2) logits[static_cast<size_t>(labels[1])] = logits[static_cast<size_t>(classes) - 1] = 90;  // a tie
        std::vector<double> losses(5), losses64(5), gradient64(logits.size());
        std::vector<float> gradient(logits.size());
        std::vector<uint8_t> right(5), right64(5);
        cross_entropy_kernels().cross_entropy(logits.data(), labels.data(), rows, classes, static_cast<float>(smoothing), 0.2f,
                                              losses.data(), gradient.data(), right.data());
        reference::cross_entropy(wide(logits).data(), labels.data(), rows, classes, smoothing, 0.2, losses64.data(), gradient64.data(),
                                 right64.data());
        for (size_t r = 0; r < 5; ++r) CHECK(losses[r] == doctest::Approx(losses64[r]).epsilon(1e-6));
        for (size_t i = 0; i < gradient.size(); ++i) CHECK(std::abs(gradient[i] - gradient64[i]) < 8 * kUnit);
        CHECK(right == right64);
      }
    }
  });
}

TEST_CASE("AdamW over several tensors") {
  on_every_isa([] {
    const std::vector<int64_t> sizes{1, 3, 17, 64, 100, 40'000};
    std::vector<std::vector<float>> p, m, v;
    std::vector<std::vector<double>> p64, m64, v64;
    for (int64_t n : sizes) {
      p.push_back(random("p", n));
      m.emplace_back(static_cast<size_t>(n), 0.0f), v.emplace_back(static_cast<size_t>(n), 0.0f);
      p64.push_back(wide(p.back()));
      m64.emplace_back(static_cast<size_t>(n), 0.0), v64.emplace_back(static_cast<size_t>(n), 0.0);
    }
    for (int64_t step = 1; step <= 5; ++step) {
      const AdamwStep how{1e-3, 0.9, 0.999, 1e-8, 0.05, step};
      std::vector<std::vector<float>> g;
      std::vector<AdamwTensor> tensors;
      for (int64_t n : sizes) g.push_back(random(step % 2 ? "g1" : "g2", n, 0.01));
      for (size_t i = 0; i < sizes.size(); ++i) {
        tensors.push_back({p[i].data(), g[i].data(), m[i].data(), v[i].data(), sizes[i]});
        reference::adamw(p64[i].data(), wide(g[i]).data(), m64[i].data(), v64[i].data(), sizes[i], how);
      }
      adamw(tensors, how);
    }
    for (size_t i = 0; i < sizes.size(); ++i) {
      CHECK(relative(p[i], p64[i]) < 10 * kUnit);
      CHECK(relative(m[i], m64[i]) < 10 * kUnit);
      CHECK(relative(v[i], v64[i]) < 10 * kUnit);
    }
  });
}
