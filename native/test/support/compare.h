// SPDX-License-Identifier: Apache-2.0
// Test support: comparing with references, and running a check on every instruction set of this CPU.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "kernels/cpu/isa.h"
#include "support/golden.h"

namespace motley::test {

/// Rounding of float32, relative.
constexpr double kUnit = 0x1p-24;

inline std::vector<double> wide(const std::vector<float>& v) { return {v.begin(), v.end()}; }

/// Repeatable normals.
inline std::vector<float> normals(size_t n, uint32_t seed, double mean = 0, double deviation = 1) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> normal(mean, deviation);
  std::vector<float> values(n);
  for (float& v : values) v = static_cast<float>(normal(engine));
  return values;
}

template <typename Check>
void on_every_isa(const Check& check) {
  for (int i = 1; i <= static_cast<int>(kernels::best_isa()); ++i) {
    kernels::limit_isa(static_cast<kernels::Isa>(i));
    CAPTURE(kernels::name_of(kernels::isa()));
    check();
  }
  kernels::limit_isa(kernels::kAnyIsa);
}

/// Largest |a - b| / (1 + |b|).
template <typename A, typename B>
double worst(const std::vector<A>& a, const std::vector<B>& b) {
  double most = a.size() == b.size() ? 0 : INFINITY;
  for (size_t i = 0; i < a.size() && i < b.size(); ++i) {
    const double x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
    const double error = std::abs(x - y) / (1 + std::abs(y));
    most = std::isnan(error) ? INFINITY : std::max(most, error);
  }
  return most;
}

/// Share of PyTorch's bfloat16 error that float16 may have. Its 3 bits more make an eighth of it where all arithmetic is rounded alike;
/// the bound is twice that, as for the other precisions.
constexpr double kOfBfloat16 = 0.25;

/// The project's tolerance: at most twice PyTorch's own error against float64, largest and root mean square, as the golden
/// records it for this output and precision ("float32", "bfloat16"); in "float16", of which the goldens hold no errors, a quarter of its
/// bfloat16 error.
inline void check_against(const Golden& golden, const std::string& output, const float* values, const std::string& precision = "float32") {
  const auto& expected = golden.values(output);
  const Difference d = difference(values, expected.data(), expected.size());
  const bool half = precision == "float16";
  const double times = half ? kOfBfloat16 : 2;
  const Json& torch = golden.meta()["pytorch_error_against_float64"][half ? "bfloat16" : precision][output];
  INFO(output, ": max ", d.max_abs, " rms ", d.rms, "; PyTorch's ", torch["max_abs"].number, " and ", torch["rms"].number);
  CHECK(d.max_abs <= times * torch["max_abs"].number);
  CHECK(d.rms <= times * torch["rms"].number);
  MESSAGE(output, " ", precision, ": error / PyTorch's ", std::string(half ? "bfloat16 " : ""),
          "error = ", d.max_abs / torch["max_abs"].number, " (max), ", d.rms / torch["rms"].number, " (rms)");
}

}  // namespace motley::test
