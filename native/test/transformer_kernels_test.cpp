// SPDX-License-Identifier: Apache-2.0
// Gradients of the kernels that transformers train with, against float64.
#include <doctest/doctest.h>

#include <cstring>

#include "kernels/cpu/rowwise.h"
#include "kernels/cpu/short_attention.h"
#include "libtorch/convert.h"
#include "ops/attention.h"
#include "ops/cast.h"
#include "ops/normalise.h"
#include "ops/tape.h"
#include "support/compare.h"
#include "support/threads.h"

using namespace motley;
using namespace motley::test;

namespace {

Tensor tensor(Shape shape, const std::vector<float>& values, DType type = DType::f32) {
  return Tensor::of(std::move(shape), values.data()).to(type);
}

std::vector<double> wide(const Tensor& t) {
  const Tensor f = t.to(DType::f32);
  return {f.data<float>(), f.data<float>() + f.numel()};
}

// Largest |a - b| in units of the largest |b|, or of `least`
double relative(const Tensor& a, const std::vector<double>& b, double least = 1e-30) {
  const auto values = wide(a);
  double error = values.size() == b.size() ? 0 : INFINITY, largest = least;
  for (size_t i = 0; i < b.size(); ++i) {
    const double e = std::abs(values[i] - b[i]);
    error = std::isnan(e) ? INFINITY : std::max(error, e);
    largest = std::max(largest, std::abs(b[i]));
  }
  return error / largest;
}

bool same(const Tensor& a, const Tensor& b) {
  return a.bytes() == b.bytes() && std::memcmp(a.raw(), b.raw(), static_cast<size_t>(a.bytes())) == 0;
}

constexpr double kEps = 1e-5;

struct Gradients {
  Tensor dx, dweight, dbias;
};

// x is cast from float32, so that a gradient of its own type is made.
Gradients layer_norm_gradients(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& dy) {
  const Gradients g{Tensor::zeros(x.shape()), Tensor::zeros(weight.shape()), Tensor::zeros(bias.shape())};
  const Tensor source = x.to(DType::f32).clone();
  Tape tape;
  tape.watch(source, g.dx);
  tape.watch(weight, g.dweight);
  tape.watch(bias, g.dbias);
  Tensor y;
  {
    Tape::Recording recording(tape);
    y = ops::layer_norm(ops::cast(source, x.dtype()), kEps, weight, bias);
  }
  tape.backward(y, dy.clone());
  return g;
}

}  // namespace

TEST_CASE("gradients of layer norm agree with float64 over awkward sizes") {
  for (int64_t width : {1, 3, 17, 48, 64, 96, 100, 768}) {
    for (int64_t rows : {1, 5, 65, 131}) {
      CAPTURE(width);
      CAPTURE(rows);
      const auto n = static_cast<size_t>(rows * width), w = static_cast<size_t>(width);
      for (DType type : {DType::f32, DType::bf16}) {
        const Tensor x = tensor({rows, width}, normals(n, 1, 2, 3), type), dy = tensor({rows, width}, normals(n, 2), type);
        const Tensor weight = tensor({width}, normals(w, 3, 1, 0.3)), bias = tensor({width}, normals(w, 4));
        std::vector<double> dx(n), dweight(w), dbias(w);
        kernels::reference::layer_norm_backward(wide(dy).data(), wide(x).data(), rows, width, kEps, wide(weight).data(), dx.data(),
                                                dweight.data(), dbias.data());
        on_every_isa([&] {
          const Gradients g = layer_norm_gradients(x, weight, bias, dy);
          // dx is rounded to x's type; a row of one value has rstd = 316 and a gradient of 0, a difference of equal terms of up to 3
          CHECK(relative(g.dx, dx, 1) < (type == DType::f32 ? (width == 1 ? 316 * 3 * 0x1p-24 : width < 8 ? 2e-5 : 2e-6) : 0.0041));
          CHECK(relative(g.dweight, dweight, 1) < 3e-6);
          CHECK(relative(g.dbias, dbias, 1) < 1e-6);
        });
      }
    }
  }
}

TEST_CASE("layer norm's gradient adds to what x has already, and is the same on any number of threads") {
  constexpr int64_t rows = 131, width = 100;
  const Tensor x = tensor({rows, width}, normals(rows * width, 1)), dy = tensor({rows, width}, normals(rows * width, 2));
  const Tensor weight = tensor({width}, normals(width, 3)), bias = tensor({width}, normals(width, 4)), dx = Tensor::zeros(x.shape());
  const Gradients alone = layer_norm_gradients(x, weight, bias, dy);
  Tape tape;
  tape.watch(x, dx);
  Tensor y;
  {
    Tape::Recording recording(tape);
    y = ops::layer_norm(x, kEps, weight, bias);
    const Tensor both = Tensor::empty(x.shape());  // of x and of its norm, as beside a residual
    tape.record(both, {x, y}, [=](Tape& t, const Tensor& d) {
      t.add(x, d.clone());
      t.add(y, d);
    });
    y = both;
  }
  tape.backward(y, dy.clone());
  for (int64_t i = 0; i < dx.numel(); ++i) {
    const double expected = static_cast<double>(alone.dx.data<float>()[i]) + dy.data<float>()[i];
    CHECK(std::abs(dx.data<float>()[i] - expected) < 1e-6);
  }
  for (int threads : {1, 2, 3}) {
    const Threads scope(threads);
    const Gradients g = layer_norm_gradients(x, weight, bias, dy);
    CHECK(same(g.dx, alone.dx));
    CHECK(same(g.dweight, alone.dweight));
    CHECK(same(g.dbias, alone.dbias));
  }
}

TEST_CASE("GELU's gradient agrees with float64 over its whole range, digits of the tails included") {
  std::vector<float> x;
  for (int i = -2400; i <= 2400; ++i) x.push_back(static_cast<float>(i) * 0.005f);
  for (float far : {-1e30f, -200.0f, -14.0f, 14.0f, 200.0f, 1e30f}) x.push_back(far);
  const auto n = static_cast<int64_t>(x.size());
  const Tensor at = tensor({n}, x), dy = tensor({n}, std::vector<float>(x.size(), 1.0f)), dx = Tensor::zeros({n});
  on_every_isa([&] {
    Tape tape;
    tape.watch(at, dx);
    Tensor y;
    {
      Tape::Recording recording(tape);
      y = ops::activate(at, ops::Activation::gelu);
    }
    tape.backward(y, dy.clone());
    for (size_t i = 0; i < x.size(); ++i) {
      const double expected = kernels::reference::gelu_slope(x[i]), error = std::abs(dx.data<float>()[i] - expected);
      CAPTURE(x[i]);
      CHECK(error < 2e-7);
      if (x[i] < -1.5f && x[i] > -12.0f) CHECK(error < 2e-5 * std::abs(expected));
    }
  });
}

TEST_CASE("GELU's gradient takes 16-bit numbers, rounds once, and keeps NaN") {
  for (int64_t n : {1, 3, 17, 64, 100}) {
    const auto count = static_cast<size_t>(n);
    const Tensor x = tensor({n}, normals(count, 5, 0, 2), DType::bf16), dy = tensor({n}, normals(count, 6), DType::bf16);
    on_every_isa([&] {
      const auto& k = kernels::rowwise_functions<bf16>();
      const Tensor dx = Tensor::empty({n}, DType::bf16), wanted = Tensor::empty({n}), wide_x = x.to(DType::f32),
                   wide_dy = dy.to(DType::f32);
      k.gelu_backward(dy.data<bf16>(), x.data<bf16>(), dx.data<bf16>(), n);
      kernels::rowwise_functions<float>().gelu_backward(wide_dy.data<float>(), wide_x.data<float>(), wanted.data<float>(), n);
      CHECK(same(dx, wanted.to(DType::bf16)));
      const float odd[] = {NAN, INFINITY, -INFINITY}, one[] = {1, 1, 1};
      float out[3];
      kernels::rowwise_functions<float>().gelu_backward(one, odd, out, 3);
      CHECK(std::isnan(out[0]));
      CHECK(out[1] == 1);
      CHECK(std::abs(out[2]) < 1e-30);
    });
  }
}

namespace {

struct Sequence {
  int64_t images, tokens, heads, head;
  bool drop;
  Tensor qkv, dout, factors;

  Sequence(int64_t n, int64_t t, int64_t h, int64_t d, bool dropped, DType type = DType::f32)
      : images(n), tokens(t), heads(h), head(d), drop(dropped) {
    const auto count = static_cast<size_t>(n * t * h * d);
    qkv = tensor({n, t, 3 * h * d}, normals(3 * count, 7, 0, 1.5), type);
    dout = tensor({n, t, h * d}, normals(count, 8), type);
    if (!drop) return;
    auto f = normals(static_cast<size_t>(n * h * t * t), 9);
    for (float& x : f) x = x < -0.5f ? 0.0f : 1.4f;
    factors = tensor({n, h, t, t}, f);
  }

  // in float64: the result, and the gradient of qkv
  void exact(std::vector<double>& out, std::vector<double>& dqkv) const {
    const auto x = wide(qkv), d = wide(dout);
    const int64_t width = heads * head;
    const auto size = static_cast<size_t>(tokens * head);
    out.assign(d.size(), 0);
    dqkv.assign(x.size(), 0);
    for (int64_t i = 0; i < images * heads; ++i) {
      std::vector<double> rows[4], gradients[3], f;
      for (auto& r : rows) r.resize(size);
      for (auto& g : gradients) g.resize(size);
      const auto place = [&](int64_t t, int64_t part) {
        return static_cast<size_t>((i / heads * tokens + t) * 3 * width + part * width + i % heads * head);
      };
      const auto result = [&](int64_t t) { return static_cast<size_t>((i / heads * tokens + t) * width + i % heads * head); };
      for (int64_t t = 0; t < tokens; ++t) {
        for (int64_t p = 0; p < 3; ++p) std::copy_n(x.data() + place(t, p), head, rows[p].data() + t * head);
        std::copy_n(d.data() + result(t), head, rows[3].data() + t * head);
      }
      if (drop) f.assign(factors.data<float>() + i * tokens * tokens, factors.data<float>() + (i + 1) * tokens * tokens);
      kernels::reference::self_attention_backward(tokens, head, rows[0].data(), rows[1].data(), rows[2].data(), drop ? f.data() : nullptr,
                                                  rows[3].data(), gradients[0].data(), gradients[1].data(), gradients[2].data());
      forward(rows, f, [&](int64_t t, int64_t c, double value) { out[result(t) + static_cast<size_t>(c)] = value; });
      for (int64_t t = 0; t < tokens; ++t) {
        for (int64_t p = 0; p < 3; ++p) std::copy_n(gradients[p].data() + t * head, head, dqkv.data() + place(t, p));
      }
    }
  }

  template <typename Put>
  void forward(const std::vector<double> (&rows)[4], const std::vector<double>& f, const Put& put) const {
    for (int64_t i = 0; i < tokens; ++i) {
      std::vector<double> weights(static_cast<size_t>(tokens));
      double total = 0;
      for (int64_t j = 0; j < tokens; ++j) {
        double score = 0;
        for (int64_t c = 0; c < head; ++c) score += rows[0][static_cast<size_t>(i * head + c)] * rows[1][static_cast<size_t>(j * head + c)];
        total += weights[static_cast<size_t>(j)] = std::exp(score / std::sqrt(static_cast<double>(head)));
      }
      for (int64_t c = 0; c < head; ++c) {
        double value = 0;
        for (int64_t j = 0; j < tokens; ++j) {
          value += weights[static_cast<size_t>(j)] / total * (drop ? f[static_cast<size_t>(i * tokens + j)] : 1) *
                   rows[2][static_cast<size_t>(j * head + c)];
        }
        put(i, c, value);
      }
    }
  }
};

// The result; the gradient of qkv, in its own type, in dqkv.
Tensor attend(const Sequence& s, Tensor& dqkv) {
  const Tensor source = s.qkv.to(DType::f32).clone(), gradient = Tensor::zeros(s.qkv.shape());
  Tape tape;
  tape.watch(source, gradient);
  Tensor y;
  {
    Tape::Recording recording(tape);
    y = ops::self_attention(ops::cast(source, s.qkv.dtype()), s.heads, s.factors);
  }
  tape.backward(y, s.dout.clone());
  dqkv = gradient;
  return y;
}

}  // namespace

TEST_CASE("self-attention and its gradient agree with float64 over lengths and heads, dropout of the weights included") {
  struct Case {
    int64_t images, tokens, heads, head;
  };
  for (const Case& c :
       {Case{1, 1, 1, 1}, {2, 5, 3, 64}, {2, 65, 2, 64}, {1, 3, 2, 17}, {3, 17, 2, 3}, {1, 48, 1, 100}, {1, 131, 1, 48}, {1, 300, 1, 7}}) {
    for (bool drop : {false, true}) {
      for (DType type : {DType::f32, DType::bf16}) {
        CAPTURE(c.tokens);
        CAPTURE(c.head);
        CAPTURE(drop);
        const Sequence s(c.images, c.tokens, c.heads, c.head, drop, type);
        std::vector<double> out, dqkv;
        s.exact(out, dqkv);
        on_every_isa([&] {
          Tensor gradient;
          const Tensor y = attend(s, gradient);
          CHECK(relative(y, out) < (type == DType::f32 ? 2e-6 : 0.0041));
          CHECK(relative(gradient, dqkv, 0.1) < (type == DType::f32 ? 3e-6 : 0.0041));
        });
      }
    }
  }
}

TEST_CASE("the gradient of self-attention is that of central differences") {
  const Sequence s(1, 4, 2, 3, true);
  Tensor gradient;
  attend(s, gradient);
  std::vector<double> out, unused;
  const auto loss = [&](int64_t i, double by) {
    Sequence moved = s;
    moved.qkv = s.qkv.clone();
    moved.qkv.data<float>()[i] += static_cast<float>(by);
    moved.exact(out, unused);
    double sum = 0;
    for (size_t k = 0; k < out.size(); ++k) sum += out[k] * s.dout.data<float>()[k];
    return sum;
  };
  constexpr double kStep = 0x1p-10;  // exact in float32 beside values of this size
  for (int64_t i = 0; i < s.qkv.numel(); ++i)
    CHECK(std::abs((loss(i, kStep) - loss(i, -kStep)) / (2 * kStep) - gradient.data<float>()[i]) < 2e-5);
}

TEST_CASE("an image's self-attention does not depend on its batch or the threads, forward and backward") {
  const Sequence s(3, 65, 2, 64, false);
  Tensor all;
  const Tensor y = attend(s, all);
  Sequence second(1, 65, 2, 64, false);
  const int64_t row = s.qkv.numel() / 3, out = s.dout.numel() / 3;
  second.qkv = Tensor::of(second.qkv.shape(), s.qkv.data<float>() + row);
  second.dout = Tensor::of(second.dout.shape(), s.dout.data<float>() + out);
  for (int threads : {1, 3}) {
    const Threads scope(threads);
    Tensor alone;
    const Tensor one = attend(second, alone);
    CHECK(std::memcmp(one.raw(), y.data<float>() + out, static_cast<size_t>(one.bytes())) == 0);
    CHECK(std::memcmp(alone.raw(), all.data<float>() + row, static_cast<size_t>(alone.bytes())) == 0);
  }
}
