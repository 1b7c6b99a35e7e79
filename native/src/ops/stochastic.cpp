// SPDX-License-Identifier: Apache-2.0
#include "ops/stochastic.h"

#include "kernels/cpu/stochastic.h"
#include "libtorch/convert.h"
#include "libtorch/parallel.h"
#include "ops/tape.h"
#include "ops/work.h"

namespace motley::ops {
namespace {

// y = x * factors + residual; each of the two may be undefined, y may be x
void scale(const Tensor& x, const Tensor& factors, const Tensor& residual, const Tensor& y) {
  const Timed timed("dropout", [&] { return passing_work(y, {&x, &factors, &residual, &y}); });
  with_element(x.dtype(), [&]<typename T>() {
    const T *from = x.data<T>(), *added = residual ? residual.data<T>() : nullptr;
    const float* by = factors ? factors.data<float>() : nullptr;
    T* to = y.data<T>();
    parallel_for(x.numel(), 1 << 15, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const float kept = by == nullptr ? to_float(from[i]) : to_float(from[i]) * by[i];
        to[i] = from_float<T>(added == nullptr ? kept : kept + to_float(added[i]));
      }
    });
  });
}

}  // namespace

Tensor dropout_factors(const Shape& shape, double p, const Randomness& random, uint32_t layer) {
  const Tensor factors = Tensor::empty(shape);
  kernels::dropout_factors(random.seed, random.step, layer, p, factors.numel(), factors.data<float>());
  return factors;
}

Tensor dropout(const Tensor& x, double p, const std::optional<Randomness>& random, uint32_t layer, const Tensor& residual) {
  const bool drops = random && p != 0;
  if (!drops && !residual) return x;
  const Tensor factors = drops ? dropout_factors(x.shape(), p, *random, layer) : Tensor(), y = Tensor::empty(x.shape(), x.dtype());
  scale(x, factors, residual, y);
  if (Tape* tape = Tape::current()) {
    tape->record(y, {x, residual}, [=](Tape& t, const Tensor& dy) {
      const Tensor dx = t.wants(residual) ? Tensor::empty(dy.shape(), dy.dtype()) : dy;
      scale(dy, factors, {}, dx);
      t.add(x, dx);
      t.add(residual, dy);
    });
  }
  return y;
}

Tensor image_factors(int64_t n, double p, const std::optional<Randomness>& random, uint32_t layer) {
  return random && p != 0 ? dropout_factors({n}, p, *random, layer) : Tensor();
}

}  // namespace motley::ops
