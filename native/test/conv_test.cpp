// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/cpu/winograd.h"
#include "libtorch/call.h"
#include "ops/layout.h"
#include "ops/linear.h"
#include "ops/tape.h"
#include "product_reference.h"
#include "support/threads.h"
#include "support/torch_ops.h"

using namespace motley;
using namespace motley::test;
using libtorch::Call;
using libtorch::View;

namespace {

struct Case {
  int64_t n, h, w, c, o, kh, kw;
  ops::Conv2d how;
};

const Case kCases[] = {
    {13, 8, 8, 20, 17, 3, 3, ops::Conv2d::same(3)},     // blocks of images with the same pixel, and a rest
    {2, 4, 4, 64, 33, 3, 3, ops::Conv2d::same(3)},      // fewer images than rows of a tile
    {7, 2, 2, 40, 70, 3, 3, ops::Conv2d::same(3)},      // 4 of 9 taps
    {12, 1, 1, 300, 40, 3, 3, ops::Conv2d::same(3)},    // 1 of 9 taps, several blocks to a tap
    {3, 7, 5, 12, 40, 3, 3, ops::Conv2d::same(3)},      // tiles that reach over the edge
    {2, 4, 5, 300, 20, 3, 3, ops::Conv2d::same(3)},     // several blocks of the depth
    {1, 19, 13, 5, 4, 3, 3, ops::Conv2d::same(3)},      // few channels: kernel rows in one
    {2, 9, 6, 16, 6, 3, 3, ops::Conv2d::same(3)},       // few outputs
    {3, 32, 32, 3, 16, 7, 7, ops::Conv2d::same(7, 2)},  // the stem of a ResNet
    {7, 8, 8, 24, 18, 3, 3, ops::Conv2d::same(3, 2)},   // stride
    {7, 7, 5, 24, 18, 1, 1, {2, 0, 0, 0, 0}},           // stride and 1x1
    {3, 9, 9, 8, 8, 3, 3, {2, 0, 0, 1, 1}},             // padding after only, as the VAE encoder
    {2, 6, 6, 3, 8, 3, 3, {2, 0, 0, 1, 1}},
    {3, 5, 6, 100, 12, 1, 1, {}},                       // 1x1
    {2, 40, 30, 96, 16, 3, 3, ops::Conv2d::same(3)},    // an image too large to share tiles
    {2, 6, 5, 9, 10, 2, 3, {1, 2, 1, 0, 3}},            // nothing symmetric
    {3, 16, 16, 200, 220, 3, 3, ops::Conv2d::same(3)},  // Winograd's weights larger than the caches, large blocks of tiles
};

Shape result_shape(const Case& k) {
  return {k.n, (k.h + k.how.top + k.how.bottom - k.kh) / k.how.stride + 1, (k.w + k.how.left + k.how.right - k.kw) / k.how.stride + 1, k.o};
}

// Visits every product of the convolution: indices of x, w and y.
template <typename Visit>
void products(const Case& k, const Visit& visit) {
  const Shape y = result_shape(k);
  for (int64_t n = 0; n < k.n; ++n) {
    for (int64_t i = 0; i < y[1]; ++i) {
      for (int64_t j = 0; j < y[2]; ++j) {
        for (int64_t a = 0; a < k.kh; ++a) {
          for (int64_t b = 0; b < k.kw; ++b) {
            const int64_t s = i * k.how.stride - k.how.top + a, t = j * k.how.stride - k.how.left + b;
            if (s < 0 || s >= k.h || t < 0 || t >= k.w) continue;
            for (int64_t o = 0; o < k.o; ++o) {
              const int64_t out = ((n * y[1] + i) * y[2] + j) * k.o + o, in = ((n * k.h + s) * k.w + t) * k.c;
              for (int64_t c = 0; c < k.c; ++c) visit(in + c, ((o * k.kh + a) * k.kw + b) * k.c + c, out);
            }
          }
        }
      }
    }
  }
}

// The project's rule where an algorithm rounds otherwise than a plain sum: error against float64 at most twice libtorch's.
constexpr double kRule = 2;

kernels::ConvShape shape_of(const Case& k) {
  const Shape y = result_shape(k);
  return {k.n, k.h, k.w, k.c, k.o, k.kh, k.kw, k.how.stride, k.how.top, k.how.left, y[1], y[2]};
}

// of a sum of so many products of numbers up to 1
double tolerance(double terms) { return 1e-6 * std::sqrt(terms) + 1e-6; }

Tensor image(const Tensor& x, int64_t n) {
  Shape shape = x.shape();
  shape[0] = 1;
  return Tensor::of(shape, x.data<float>() + n * elements(shape));
}

}  // namespace

TEST_CASE("conv2d and its gradients agree with a double reference") {
  for (const Case& k : kCases) {
    const Tensor x = random_tensor({k.n, k.h, k.w, k.c}, 1), w = random_tensor({k.o, k.kh, k.kw, k.c}, 2), b = random_tensor({k.o}, 3);
    const Shape result = result_shape(k);
    const Tensor dy = random_tensor(result, 4);
    std::vector<double> ey(static_cast<size_t>(dy.numel())), ex(static_cast<size_t>(x.numel())), ew(static_cast<size_t>(w.numel())),
        eb(static_cast<size_t>(k.o));
    for (size_t i = 0; i < ey.size(); ++i) {
      ey[i] = b.data<float>()[i % static_cast<size_t>(k.o)];
      eb[i % static_cast<size_t>(k.o)] += dy.data<float>()[i];
    }
    products(k, [&](int64_t ix, int64_t iw, int64_t iy) {
      const double vx = x.data<float>()[ix], vw = w.data<float>()[iw], g = dy.data<float>()[iy];
      ey[static_cast<size_t>(iy)] += vx * vw;
      ex[static_cast<size_t>(ix)] += vw * g;
      ew[static_cast<size_t>(iw)] += vx * g;
    });
    ops::Epilogue e;
    e.bias = b;
    const double taps = double(k.kh * k.kw), plain = tolerance(taps * double(k.c));
    const double of_y =
        kernels::winograd_suits(shape_of(k)) ? std::max(plain, kRule * worst_error(test::torch::conv2d(x, w, k.how, e), ey)) : plain;
    for_each_isa([&] {
      CAPTURE(shown(x.shape()));
      CAPTURE(shown(w.shape()));
      const Tensor dx = Tensor::empty(x.shape()), dw = Tensor::empty(w.shape()), db = Tensor::empty(b.shape());
      Tape tape;
      tape.watch(x, dx);
      tape.watch(w, dw);
      tape.watch(b, db);
      Tensor y;
      {
        Tape::Recording recording(tape);
        y = ops::conv2d(x, w, k.how, e);
      }
      REQUIRE(y.shape() == result);
      tape.backward(y, dy);
      const double pixels = double(k.n * result[1] * result[2]);
      CHECK(worst_error(y, ey) < of_y);
      CHECK(worst_error(dx, ex) < tolerance(taps * double(k.o)));
      CHECK(worst_error(dw, ew) < tolerance(pixels));
      CHECK(worst_error(db, eb) < tolerance(pixels));
    });
  }
}

TEST_CASE("an image's result depends on nothing but the image") {
  for_each_isa([] {
    for (const Case& k : kCases) {
      const Tensor x = random_tensor({k.n, k.h, k.w, k.c}, 5), w = random_tensor({k.o, k.kh, k.kw, k.c}, 6);
      const Tensor all = ops::conv2d(x, w, k.how);
      const ops::Weight frozen(w);
      CHECK(same_bits(all, ops::conv2d(x, frozen, k.how)));
      for (int64_t n : {int64_t{0}, k.n - 1}) CHECK(same_bits(image(all, n), ops::conv2d(image(x, n), frozen, k.how)));
    }
  });
}

TEST_CASE("a frozen weight serves images of any size, one after the other") {
  for_each_isa([] {
    const Tensor w = random_tensor({20, 3, 3, 24}, 6);
    const ops::Weight frozen(w);
    for (int64_t size : {8, 5, 8, 1, 3, 6, 2}) {
      CAPTURE(size);
      const Tensor x = random_tensor({3, size, size, 24}, 5);
      CHECK(same_bits(ops::conv2d(x, w, ops::Conv2d::same(3)), ops::conv2d(x, frozen, ops::Conv2d::same(3))));
      CHECK(same_bits(ops::upsample_conv2d(x, ops::Weight(w)), ops::upsample_conv2d(x, frozen)));
      CHECK(same_bits(ops::conv2d(x, w, ops::Conv2d::same(3, 2)), ops::conv2d(x, frozen, ops::Conv2d::same(3, 2))));
    }
  });
}

TEST_CASE("under a tape, what cannot be differentiated is refused in either precision") {
  for (DType type : {DType::f32, DType::bf16}) {
    const Tensor x = random_tensor({2, 4, 4, 8}, 1).to(type), w = random_tensor({8, 3, 3, 8}, 2), dw = Tensor::empty(w.shape());
    const Tensor flat = random_tensor({2, 8}, 3).to(type), dense = random_tensor({8, 8}, 4);
    Tape tape;
    tape.watch(w, dw);
    tape.watch(dense, Tensor::empty(dense.shape()));
    ops::Epilogue e;
    e.activation = ops::Activation::relu;
    Tape::Recording recording(tape);
    CHECK_THROWS_WITH(ops::conv2d(x, w, ops::Conv2d::same(3), e), "conv2d is differentiable with a bias and a residual only");
    CHECK_THROWS_WITH(ops::linear(flat, dense, e), "linear is differentiable with a bias and a residual only");
  }
}

TEST_CASE("gradients of products on bf16 inputs are those on the same numbers in f32") {
  const Tensor narrow = random_tensor({5, 6, 6, 12}, 1).to(DType::bf16), x = narrow.to(DType::f32);
  const Tensor w = random_tensor({10, 3, 3, 12}, 2), b = random_tensor({10}, 3);
  const Tensor dy16 = random_tensor({5, 6, 6, 10}, 4).to(DType::bf16), dy = dy16.to(DType::f32);
  const Tensor rows16 = random_tensor({7, 12}, 5).to(DType::bf16), rows = rows16.to(DType::f32), dense = random_tensor({10, 12}, 6);
  const Tensor d16 = random_tensor({7, 10}, 7).to(DType::bf16), d = d16.to(DType::f32);
  // gradients of x, w and b of conv2d, then of linear
  auto gradients = [&](const Tensor& image, const Tensor& dimage, const Tensor& row, const Tensor& drow) {
    std::vector<Tensor> out;
    auto run = [&](const Tensor& in, const Tensor& weight, const Tensor& up, auto op) {
      const Tensor din = Tensor::empty(in.shape(), in.dtype()), dw = Tensor::empty(weight.shape()), db = Tensor::empty(b.shape());
      Tape tape;
      tape.watch(in, din);
      tape.watch(weight, dw);
      tape.watch(b, db);
      Tensor y;
      {
        Tape::Recording recording(tape);
        y = op();
      }
      tape.backward(y, up.clone());
      out.insert(out.end(), {din.to(DType::f32), dw, db});
    };
    ops::Epilogue e;
    e.bias = b;
    run(image, w, dimage, [&] { return ops::conv2d(image, w, ops::Conv2d::same(3), e); });
    run(row, dense, drow, [&] { return ops::linear(row, dense, e); });
    return out;
  };
  const auto narrow_gradients = gradients(narrow, dy16, rows16, d16), wide = gradients(x, dy, rows, d);
  for (size_t i = 0; i < wide.size(); ++i) {
    CAPTURE(i);
    double largest = 0;
    for (int64_t k = 0; k < wide[i].numel(); ++k) largest = std::max(largest, std::abs(static_cast<double>(wide[i].data<float>()[k])));
    const double most = largest * (i % 3 == 0 ? 0x1p-8 : 1e-6);  // an input's gradient is rounded to bf16
    CHECK(worst_error(narrow_gradients[i], std::vector<double>(wide[i].data<float>(), wide[i].data<float>() + wide[i].numel())) < most);
  }
}

TEST_CASE("gradients do not depend on the number of threads") {
  const Case k{20, 8, 8, 48, 40, 3, 3, ops::Conv2d::same(3)};
  const Tensor x = random_tensor({k.n, k.h, k.w, k.c}, 5), w = random_tensor({k.o, k.kh, k.kw, k.c}, 6),
               dy = random_tensor(result_shape(k), 7);
  auto gradients = [&](int threads) {
    const Threads scope(threads);
    const Tensor dx = Tensor::empty(x.shape()), dw = Tensor::empty(w.shape());
    Tape tape;
    tape.watch(x, dx);
    tape.watch(w, dw);
    Tensor y;
    {
      Tape::Recording recording(tape);
      y = ops::conv2d(x, w, k.how);
    }
    tape.backward(y, dy);
    return std::vector<Tensor>{y, dx, dw};
  };
  const auto one = gradients(1), three = gradients(3);
  for (size_t i = 0; i < one.size(); ++i) CHECK(same_bits(one[i], three[i]));
}

TEST_CASE("conv2d adds a term per image and a residual, then activates") {
  for_each_isa([] {
    for (const Shape& shape : {Shape{7, 8, 8, 24}, Shape{3, 5, 7, 40}, Shape{5, 2, 2, 16}}) {
      for (auto activation : {ops::Activation::none, ops::Activation::silu, ops::Activation::relu}) {
        const Tensor x = random_tensor(shape, 8), w = random_tensor({18, 3, 3, shape[3]}, 9);
        ops::Epilogue e;
        e.bias = random_tensor({18}, 10);
        e.residual = random_tensor({shape[0], shape[1], shape[2], 18}, 11);
        e.per_image = random_tensor({shape[0], 18}, 12);
        e.activation = activation;
        const Tensor expected = test::torch::conv2d(x, w, ops::Conv2d::same(3), e);
        const std::vector<double> wanted(expected.data<float>(), expected.data<float>() + expected.numel());
        CHECK(worst_error(ops::conv2d(x, w, ops::Conv2d::same(3), e), wanted) < 2e-5);
      }
    }
  });
}

TEST_CASE("Winograd's convolution is about as exact as libtorch's") {
  for (int64_t channels : {64, 128, 256}) {
    for (bool positive : {false, true}) {  // as behind a ReLU
      CAPTURE(channels);
      CAPTURE(positive);
      const Case k{4, 8, 8, channels, 32, 3, 3, ops::Conv2d::same(3)};
      const kernels::ConvShape s = shape_of(k);
      REQUIRE(kernels::winograd_suits(s));
      const Tensor x = random_tensor({4, 8, 8, channels}, 21), w = random_tensor({32, 3, 3, channels}, 22);
      for (int64_t i = 0; positive && i < x.numel(); ++i) x.data<float>()[i] = std::max(0.0f, x.data<float>()[i]);
      std::vector<double> wanted(4 * 8 * 8 * 32);
      products(k, [&](int64_t ix, int64_t iw, int64_t iy) {
        wanted[static_cast<size_t>(iy)] += static_cast<double>(x.data<float>()[ix]) * w.data<float>()[iw];
      });
      auto rms = [&](const Tensor& y) {
        double squares = 0;
        for (size_t i = 0; i < wanted.size(); ++i) squares += std::pow(y.data<float>()[i] - wanted[i], 2);
        return std::sqrt(squares / static_cast<double>(wanted.size()));
      };
      const double libtorch = rms(test::torch::conv2d(x, w, ops::Conv2d::same(3), {}));
      CHECK(libtorch > 0);
      for_each_isa([&] {
        const Tensor winograd = Tensor::empty(result_shape(k)), u = Tensor::empty({kernels::winograd_size(32, channels)});
        kernels::winograd_weights(32, channels, w.data<float>(), u.data<float>());
        kernels::winograd_forward(s, x.data<float>(), u.data<float>(), {winograd.data<float>()});
        CHECK(rms(winograd) < kRule * libtorch);
      });
    }
  }
}

TEST_CASE("an input gradient added in place is the sum of both, pixels that no tap reaches included") {
  for_each_isa([] {
    for (const Case& k : kCases) {
      const Shape y = result_shape(k);
      const kernels::ConvShape s{k.n, k.h, k.w, k.c, k.o, k.kh, k.kw, k.how.stride, k.how.top, k.how.left, y[1], y[2]};
      const Tensor dy = random_tensor(y, 5), w = random_tensor({k.o, k.kh, k.kw, k.c}, 6), first = random_tensor({k.n, k.h, k.w, k.c}, 7);
      const Tensor dx = Tensor::empty(first.shape()), sum = first.clone();
      kernels::conv_input_gradient(s, dy.data<float>(), w.data<float>(), dx.data<float>());
      kernels::conv_input_gradient(s, dy.data<float>(), w.data<float>(), sum.data<float>(), true);
      for (int64_t i = 0; i < dx.numel(); ++i) dx.data<float>()[i] += first.data<float>()[i];
      CHECK(same_bits(sum, dx));
    }
  });
}

TEST_CASE("upsample_conv2d is doubling, then a 3x3 convolution") {
  for_each_isa([] {
    for (const Shape& shape : {Shape{7, 4, 4, 20}, Shape{2, 5, 3, 16}, Shape{1, 1, 1, 3}}) {
      const Tensor x = random_tensor(shape, 8), w = random_tensor({18, 3, 3, shape[3]}, 9);
      ops::Epilogue e;
      e.bias = random_tensor({18}, 10);
      e.residual = random_tensor({shape[0], 2 * shape[1], 2 * shape[2], 18}, 11);
      e.per_image = random_tensor({shape[0], 18}, 12);
      const Tensor expected = test::torch::upsample_conv2d(x, w, e);
      std::vector<double> wanted(expected.data<float>(), expected.data<float>() + expected.numel());
      CHECK(worst_error(ops::upsample_conv2d(x, ops::Weight(w), e), wanted) < 2e-5);
    }
  });
}

TEST_CASE("libtorch's convolution and its backward give the same") {
  const Case k{6, 8, 8, 32, 48, 3, 3, ops::Conv2d::same(3, 2)};
  const Tensor x = random_tensor({k.n, k.h, k.w, k.c}, 13), w = random_tensor({k.o, k.kh, k.kw, k.c}, 14),
               dy = random_tensor(result_shape(k), 15);
  const Tensor dx = Tensor::empty(x.shape()), dw = Tensor::empty(w.shape());
  Tape tape;
  tape.watch(x, dx);
  tape.watch(w, dw);
  Tensor y;
  {
    Tape::Recording recording(tape);
    y = ops::conv2d(x, w, k.how);
  }
  tape.backward(y, dy);
  auto close = [](const Tensor& a, const Tensor& b) {
    return worst_error(a, std::vector<double>(b.data<float>(), b.data<float>() + b.numel())) < 2e-5;
  };
  CHECK(close(y, test::torch::conv2d(x, w, k.how)));
  const auto g = Call("aten::convolution_backward")
                     .tensor(dy, View::channels_last)
                     .tensor(x, View::channels_last)
                     .tensor(w, View::channels_last)
                     .none()
                     .integers({2, 2})
                     .integers({1, 1})
                     .integers({1, 1})
                     .boolean(false)
                     .integers({0, 0})
                     .integer(1)
                     .booleans({true, true, false})
                     .run(2, View::channels_last);
  CHECK(close(dx, g[0]));
  CHECK(close(dw, g[1]));
}

TEST_CASE("a weight may begin at any byte") {
  const Tensor w = random_tensor({20, 24, 3, 3}, 6);
  std::vector<char> moved(static_cast<size_t>(w.bytes()) + 1);
  std::memcpy(moved.data() + 1, w.raw(), static_cast<size_t>(w.bytes()));
  ops::Weight at_home({20, 3, 3, 24}, DType::f32), odd({20, 3, 3, 24}, DType::f32);
  at_home.fill(0, 20, DType::f32, w.raw());
  odd.fill(0, 20, DType::f32, moved.data() + 1);
  const Tensor x = random_tensor({2, 6, 6, 24}, 5);
  CHECK(same_bits(ops::conv2d(x, at_home, ops::Conv2d::same(3)), ops::conv2d(x, odd, ops::Conv2d::same(3))));
}

TEST_CASE("a weight is the same from any type that holds it, joined from parts, or as a tensor") {
  const Tensor w = random_tensor({33, 70}, 6).to(DType::bf16), wide = w.to(DType::f32), x = random_tensor({5, 70}, 7);
  const Tensor expected = ops::linear(x, wide);
  for_each_isa([&] {
    for (DType held : {DType::f32, DType::bf16}) {
      ops::Weight joined({33, 70}, held);
      joined.fill(0, 20, DType::f32, wide.raw());
      joined.fill(20, 13, DType::bf16, static_cast<const char*>(w.raw()) + 20 * 70 * 2);
      const Tensor y = ops::linear(x, joined);
      CHECK(worst_error(y, std::vector<double>(expected.data<float>(), expected.data<float>() + expected.numel())) < 1e-5);
      CHECK(same_bits(y, ops::linear(x, ops::Weight(held == DType::f32 ? wide : w))));
    }
  });
}

TEST_CASE("a weight packed for one instruction set serves the others") {
  const Tensor w = random_tensor({40, 3, 3, 24}, 6), x = random_tensor({2, 9, 9, 24}, 5);
  const ops::Weight frozen(w), pairs(w.to(DType::bf16));
  for_each_isa([&] {
    CHECK(same_bits(ops::conv2d(x, frozen, ops::Conv2d::same(3)), ops::conv2d(x, ops::Weight(w), ops::Conv2d::same(3))));
    CHECK(same_bits(ops::conv2d(x, frozen, ops::Conv2d::same(3, 2)), ops::conv2d(x, ops::Weight(w), ops::Conv2d::same(3, 2))));
    CHECK(same_bits(ops::upsample_conv2d(x, frozen), ops::upsample_conv2d(x, ops::Weight(w))));
    CHECK(same_bits(ops::conv2d(x, pairs, ops::Conv2d::same(3, 2)),
                    ops::conv2d(x, ops::Weight(w.to(DType::bf16).to(DType::f32)), ops::Conv2d::same(3, 2))));
  });
}

TEST_CASE("large kernels are transformed a few panels at a time, with the same result") {
  // 256 x 512 kernels: more than is kept
  const Tensor w = random_tensor({512, 3, 3, 256}, 6), x = random_tensor({1, 16, 16, 256}, 5), small = random_tensor({1, 8, 8, 256}, 5);
  const ops::Weight frozen(w);
  REQUIRE(frozen.winograd() == nullptr);
  for_each_isa([&] {
    CHECK(same_bits(ops::conv2d(x, frozen, ops::Conv2d::same(3)), ops::conv2d(x, w, ops::Conv2d::same(3))));
    // too few tiles to make U for: the direct sum
    const Tensor direct = test::torch::conv2d(small, w, ops::Conv2d::same(3));
    CHECK(worst_error(ops::conv2d(small, frozen, ops::Conv2d::same(3)),
                      std::vector<double>(direct.data<float>(), direct.data<float>() + direct.numel())) < 1e-4);
  });
}
