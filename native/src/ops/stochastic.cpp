// SPDX-License-Identifier: Apache-2.0
#include "ops/stochastic.h"

#include "kernels/cpu/stochastic.h"
#include "libtorch/convert.h"
#include "libtorch/parallel.h"
#include "ops/tape.h"
#include "ops/work.h"

namespace motley::ops {
namespace {

Tensor factors_of(int64_t n, double p, const Randomness& random, uint32_t layer) {
  const Tensor factors = Tensor::empty({n});
  kernels::dropout_factors(random.seed, random.step, layer, p, n, factors.data<float>());
  return factors;
}

// y = x * factors; y may be x
void scale(const Tensor& x, const Tensor& factors, const Tensor& y) {
  const Timed timed("dropout", [&] { return passing_work(y, {&x, &factors, &y}); });
  with_element(x.dtype(), [&]<typename T>() {
    const T* from = x.data<T>();
    const float* by = factors.data<float>();
    T* to = y.data<T>();
    parallel_for(x.numel(), 1 << 15, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) to[i] = from_float<T>(to_float(from[i]) * by[i]);
    });
  });
}

}  // namespace

Tensor dropout(const Tensor& x, double p, const std::optional<Randomness>& random, uint32_t layer) {
  if (!random || p == 0) return x;
  const Tensor factors = factors_of(x.numel(), p, *random, layer), y = Tensor::empty(x.shape(), x.dtype());
  scale(x, factors, y);
  if (Tape* tape = Tape::current()) {
    tape->record(y, {x}, [=](Tape& t, const Tensor& dy) {
      scale(dy, factors, dy);
      t.add(x, dy);
    });
  }
  return y;
}

Tensor image_factors(int64_t n, double p, const std::optional<Randomness>& random, uint32_t layer) {
  return random && p != 0 ? factors_of(n, p, *random, layer) : Tensor();
}

}  // namespace motley::ops
