// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/branch.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "ops/branch.h"
#include "ops/tape.h"
#include "support/compare.h"

using namespace motley;
using test::wide;

namespace {}  // namespace

TEST_CASE("a branch is scaled and added as its definition says, and so is its gradient") {
  test::on_every_isa([&] {
    for (int64_t rows : {1, 5, 16, 49}) {
      for (int64_t channels : {1, 3, 17, 64, 100}) {
        const auto n = static_cast<size_t>(rows * channels), c = static_cast<size_t>(channels);
        const auto x = test::normals(n, 1), branch = test::normals(n, 2), dy = test::normals(n, 3), scale = test::normals(c, 4);
        constexpr float kFactor = 1.25f;
        std::vector<float> y(n), d = branch;
        std::vector<double> sums(c), y64(n), d64(n), sums64(c);
        const auto& run = kernels::branch_functions<float>();
        run.add(x.data(), branch.data(), rows, channels, scale.data(), kFactor, y.data());
        run.backward(dy.data(), d.data(), rows, channels, scale.data(), kFactor, d.data(), sums.data());
        kernels::reference::branch_add(wide(x).data(), wide(branch).data(), rows, channels, wide(scale).data(), kFactor, y64.data());
        kernels::reference::branch_backward(wide(dy).data(), wide(branch).data(), rows, channels, wide(scale).data(), kFactor, d64.data(),
                                            sums64.data());
        CHECK(test::worst(y, y64) < 4e-7);
        CHECK(test::worst(d, d64) < 4e-7);
        CHECK(test::worst(sums, sums64) < 3e-6);
      }
    }
  });
}

TEST_CASE("images that leave a branch out are as if it were multiplied by 0, in values and gradients") {
  constexpr int64_t n = 7, pixels = 3, channels = 19;
  const auto xs = test::normals(n * pixels * channels, 1), ws = test::normals(channels, 2), dys = test::normals(n * pixels * channels, 3);
  for (double p : {0.0, 0.5, 0.999}) {
    const Tensor x = Tensor::of({n, pixels, channels}, xs.data()), scale = Tensor::of({channels}, ws.data());
    const Tensor dx = Tensor::empty(x.shape()), dscale = Tensor::empty(scale.shape());
    const ops::Kept kept = ops::Kept::draw(n, p, ops::Randomness{3, 4}, 5);
    CHECK(kept.all() == (p == 0));
    Tape tape;
    tape.watch(x, dx);
    tape.watch(scale, dscale);
    Tensor y = x;
    {
      Tape::Recording recording(tape);
      if (!kept.none()) {  // the branch is the doubled image
        const Tensor taken = ops::take(x, kept);
        Tensor doubled = Tensor::empty(taken.shape());
        for (int64_t i = 0; i < taken.numel(); ++i) doubled.data<float>()[i] = 2 * taken.data<float>()[i];
        tape.record(doubled, {taken}, [=](Tape& t, const Tensor& d) {
          for (int64_t i = 0; i < d.numel(); ++i) d.data<float>()[i] *= 2;
          t.add(taken, d);
        });
        y = ops::add_branch(x, std::move(doubled), scale, kept);
      }
    }
    std::vector<double> factors(n, p == 0 ? 1.0 : 0.0), wanted_dscale(channels, 0.0);
    for (int64_t i = 0; !kept.all() && i < static_cast<int64_t>(kept.images->size()); ++i)
      factors[static_cast<size_t>((*kept.images)[static_cast<size_t>(i)])] = 1 / (1 - p);
    tape.backward(y, Tensor::of(x.shape(), dys.data()));
    for (int64_t i = 0; i < x.numel(); ++i) {
      const double f = factors[static_cast<size_t>(i / (pixels * channels))],
                   s = static_cast<double>(ws[static_cast<size_t>(i % channels)]);
      const double v = static_cast<double>(xs[static_cast<size_t>(i)]), d = static_cast<double>(dys[static_cast<size_t>(i)]);
      CHECK(std::abs(static_cast<double>(y.data<float>()[i]) - (v + 2 * v * s * f)) < 1e-6 * (1 + f) * (1 + std::abs(v)));
      CHECK(std::abs(static_cast<double>(dx.data<float>()[i]) - (d + 2 * d * s * f)) <
            1e-6 * (1 + f) * (1 + std::abs(d) * (1 + std::abs(s))));
      wanted_dscale[static_cast<size_t>(i % channels)] += d * 2 * v * f;
    }
    for (size_t c = 0; c < channels; ++c)
      CHECK(std::abs(static_cast<double>(dscale.data<float>()[c]) - wanted_dscale[c]) < 1e-5 * (1 + std::abs(wanted_dscale[c])));
  }
}

TEST_CASE("a watched tensor that the result does not depend on has the gradient 0") {
  const Tensor x = Tensor::zeros({2, 3}), other = Tensor::zeros({4}), dx = Tensor::empty({2, 3}), dother = Tensor::empty({4});
  std::fill_n(dother.data<float>(), 4, 5.0f);
  Tape tape;
  tape.watch(x, dx);
  tape.watch(other, dother);
  tape.backward(x, Tensor::zeros({2, 3}));
  for (int i = 0; i < 4; ++i) CHECK(dother.data<float>()[i] == 0);
}
