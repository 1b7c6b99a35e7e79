// SPDX-License-Identifier: Apache-2.0
#include "ops/batch_norm.h"

#include <cmath>
#include <memory>

#include "kernels/cpu/batch_norm.h"
#include "ops/graph.h"
#include "ops/tape.h"
#include "ops/work.h"

namespace motley::ops {
namespace {

using kernels::Activation;
using kernels::Gate;

// (C) each: what one application of a layer uses
struct Applied {
  Tensor mean, invstd;
  std::vector<float> scale, shift;
};

template <typename T>
Applied statistics_of(const Tensor& x, const BatchNorm& norm, Statistics statistics) {
  const int64_t c = x.size(-1), rows = x.numel() / c;
  Applied a{Tensor::empty({c}), Tensor::empty({c}), std::vector<float>(static_cast<size_t>(c)), {}};
  a.shift.resize(a.scale.size());
  float *mean = a.mean.data<float>(), *invstd = a.invstd.data<float>();
  if (statistics == Statistics::running) {
    const float *m = norm.running_mean.data<float>(), *v = norm.running_var.data<float>();
    for (int64_t i = 0; i < c; ++i) {
      mean[i] = m[i];
      invstd[i] = static_cast<float>(1 / std::sqrt(static_cast<double>(v[i]) + norm.eps));
    }
  } else {
    const Timed timed("batch_norm statistics", [&] { return passing_work(x, {&x}); });
    std::vector<double> m(static_cast<size_t>(c)), v(static_cast<size_t>(c));
    kernels::batch_moments<T>(x.data<T>(), rows, c, m.data(), v.data());
    for (size_t i = 0; i < m.size(); ++i) {
      mean[i] = static_cast<float>(m[i]);
      invstd[i] = static_cast<float>(1 / std::sqrt(v[i] + norm.eps));
    }
    if (statistics == Statistics::training) {
      require(rows > 1, "BatchNorm in training needs more than one value per channel, got shape ", shown(x.shape()));
      const double unbiased = static_cast<double>(rows) / static_cast<double>(rows - 1), k = norm.momentum;
      float *rm = norm.running_mean.data<float>(), *rv = norm.running_var.data<float>();
      for (size_t i = 0; i < m.size(); ++i) {
        rm[i] = static_cast<float>((1 - k) * static_cast<double>(rm[i]) + k * m[i]);
        rv[i] = static_cast<float>((1 - k) * static_cast<double>(rv[i]) + k * v[i] * unbiased);
      }
      ++*norm.batches.data<int64_t>();
    }
  }
  kernels::batch_norm_fold(c, norm.weight.data<float>(), norm.bias.data<float>(), mean, invstd, a.scale.data(), a.shift.data());
  return a;
}

template <typename T>
void record(Tape& tape, const Tensor& y, const Tensor& x, const BatchNorm& norm, const Tensor& residual, Gate gate, const Tensor& bits,
            const Applied& a) {
  const Tensor weight = norm.weight, bias = norm.bias, mean = a.mean, invstd = a.invstd;
  tape.record(y, {x, weight, bias, residual}, [=](Tape& t, const Tensor& dy) {
    const Timed timed("batch_norm backward", [&] { return passing_work(x, {&dy, &x, &x, &bits}); });
    const int64_t c = x.size(-1), rows = x.numel() / c;
    const Tensor dweight = t.place_for(weight), dbias = t.place_for(bias), there = t.destination(x), dx = there ? there : x;
    const bool gated_residual = residual.defined() && gate != Gate::none;
    kernels::batch_norm_backward<T>(dy.data<T>(), x.data<T>(), rows, c, weight.data<float>(), bias.data<float>(), mean.data<float>(),
                                    invstd.data<float>(), gate, bits ? bits.data<uint8_t>() : nullptr, dweight.data<float>(),
                                    dbias.data<float>(), dx.data<T>(), gated_residual ? dy.data<T>() : nullptr);
    t.add(weight, dweight);
    t.add(bias, dbias);
    t.add(x, dx);
    t.add(residual, dy);
  });
}

template <typename T>
Tensor run(const Tensor& x, const BatchNorm& norm, Statistics statistics, Activation activation, const Tensor& residual) {
  const Applied a = statistics_of<T>(x, norm, statistics);
  const int64_t c = x.size(-1), rows = x.numel() / c;
  Tape* tape = Tape::current();
  const bool taped = tape != nullptr && (tape->wants(x) || tape->wants(norm.weight) || tape->wants(residual));
  ensure(!taped || statistics != Statistics::running, "batch_norm is not differentiable with running statistics");
  const Gate gate = activation == Activation::none         ? Gate::none
                    : activation == Activation::hard_swish ? Gate::hard_swish
                    : residual                             ? Gate::relu_bits
                                                           : Gate::relu;
  const Tensor bits = taped && gate == Gate::relu_bits ? Tensor::empty({rows, kernels::gate_pitch(c)}, DType::u8) : Tensor();
  const Tensor y = taped ? Tensor::empty(x.shape(), x.dtype()) : x;
  const Timed timed("batch_norm apply", [&] { return passing_work(x, {&x, &residual, &y, &bits}); });
  kernels::batch_norm_apply<T>(x.data<T>(), rows, c, a.scale.data(), a.shift.data(), residual ? residual.data<T>() : nullptr, activation,
                               y.data<T>(), bits ? bits.data<uint8_t>() : nullptr);
  if (taped) record<T>(*tape, y, x, norm, residual, gate, bits, a);
  return y;
}

}  // namespace

Tensor batch_norm(Tensor&& x, const BatchNorm& norm, Statistics statistics, Activation activation, const Tensor& residual) {
  ensure(x.numel() > 0 && x.size(-1) == norm.weight.numel(), "batch_norm of ", shown(x.shape()), " with ", norm.weight.numel(),
         " channels");
  ensure(!residual || (residual.shape() == x.shape() && residual.dtype() == x.dtype()), "batch_norm of ", shown(x.shape()),
         " with a residual of another shape or type");
  ensure(activation == Activation::none || activation == Activation::relu || (activation == Activation::hard_swish && !residual),
         "batch_norm with an activation that it has no gradient of");
  const Tensor y = x.dtype() == DType::bf16 ? run<bf16>(x, norm, statistics, activation, residual)
                                            : run<float>(x, norm, statistics, activation, residual);
  if (Graph* graph = Graph::current()) {
    graph->add("batch_norm", {x, norm.weight, norm.bias, norm.running_mean, norm.running_var, residual}, y,
               {{"eps", norm.eps}, {"relu", activation == Activation::relu}, {"hard_swish", activation == Activation::hard_swish}});
  }
  return y;
}

}  // namespace motley::ops
