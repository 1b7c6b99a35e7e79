// SPDX-License-Identifier: Apache-2.0
// Each fused kernel against the same source built for the plain instruction set, and against the libtorch operators that it
// replaces, in alternation.
//
//   fused_bench [--libtorch DIR] [--threads N] [--repeats N] [--only NAME]
//
// --only: the lines whose names begin so.
// Bytes are those that must be read and written at least once, an element of a saved bit mask not counted. The copy's GB/s
// are memcpy's over as many bytes, read and written both counted. With one thread (the default) time is the thread's CPU
// time, so that other load on the machine disturbs little; with more it is wall time. Ratios above 1: ours is the faster one.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "harness.h"
#include "kernels/cpu/adamw.h"
#include "kernels/cpu/augment.h"
#include "kernels/cpu/batch_norm.h"
#include "kernels/cpu/branch.h"
#include "kernels/cpu/depthwise.h"
#include "kernels/cpu/ema.h"
#include "kernels/cpu/gradient_norm.h"
#include "kernels/cpu/isa.h"
#include "kernels/cpu/mixup.h"
#include "kernels/cpu/rowwise.h"
#include "kernels/cpu/sampling.h"
#include "kernels/cpu/short_attention.h"
#include "kernels/cpu/squeeze_excite.h"
#include "libtorch/call.h"
#include "libtorch/convert.h"
#include "libtorch/parallel.h"
#include "libtorch/symbols.h"
#include "ops/attention.h"
#include "ops/loss.h"
#include "ops/normalise.h"
#include "ops/pooling.h"

using namespace motley;
using bench::filled;
using libtorch::Call;
using libtorch::View;

namespace {

bench::Measure measure;
std::string only;

void report(const char* name, int64_t bytes, const bench::Body& ours, const bench::Body& theirs) {
  if (!std::string_view(name).starts_with(only)) return;
  const Tensor from = Tensor::zeros({bytes / 2}, DType::u8), to = Tensor::zeros({bytes / 2}, DType::u8);
  const bench::Body copy = [&] {
    parallel_for(from.bytes(), 1 << 16, [&](int64_t begin, int64_t end) {
      std::memcpy(to.data<uint8_t>() + begin, from.data<uint8_t>() + begin, static_cast<size_t>(end - begin));
    });
  };
  const bench::Body plain = [&] {
    kernels::limit_isa(kernels::Isa::scalar);
    ours();
    kernels::limit_isa(kernels::kAnyIsa);
  };
  const auto t = measure.of({ours, plain, theirs, copy});
  const double size = static_cast<double>(bytes) * 1e-9;
  std::printf("| %s | %.1f | %.1f | %.1f | %.2f | %.1f | %.2f |\n", name, t[0] * 1e6, size / t[0], size / t[3], t[3] / t[0], t[1] / t[0],
              t[2] / t[0]);
  std::fflush(stdout);
}

void group_norm(const char* name, int64_t n, int64_t side, int64_t c) {
  const Tensor x = filled({n, side, side, c}), w = filled({c}), b = filled({c});
  report(
      name, 2 * x.bytes(), [&] { ops::group_norm(x, 16, 1e-5, w, b, ops::Activation::silu); },
      [&] {
        const auto y = Call("aten::group_norm")
                           .tensor(x, View::channels_last)
                           .integer(16)
                           .optional(w)
                           .optional(b)
                           .real(1e-5)
                           .boolean(false)
                           .run(1, View::channels_last);
        Call("aten::silu_").tensor(y[0], View::channels_last).run(1, View::channels_last);
      });
}

void layer_norm(int64_t rows, int64_t width) {
  const Tensor x = filled({rows, width}), w = filled({width}), b = filled({width});
  report(
      concat("LayerNorm ", rows, "x", width).c_str(), 2 * x.bytes(), [&] { ops::layer_norm(x, 1e-5, w, b); },
      [&] { Call("aten::layer_norm").tensor(x).integers({width}).optional(w).optional(b).real(1e-5).boolean(false).run(1); });
}

void layer_norm_backward(int64_t rows, int64_t width) {
  const Tensor x = filled({rows, width}), dy = filled(x.shape()), w = filled({width}), b = filled({width}),
               moments = Tensor::empty({rows, 2});
  const Tensor dx = Tensor::empty(x.shape()), dw = Tensor::empty({width}), db = Tensor::empty({width}), y = Tensor::empty(x.shape());
  kernels::rowwise_functions<float>().layer_norm(x.data<float>(), y.data<float>(), rows, width, 1e-5, w.data<float>(), b.data<float>(),
                                                 moments.data<float>());
  const Tensor mean = Tensor::empty({rows, 1}), rstd = Tensor::empty({rows, 1});
  for (int64_t r = 0; r < rows; ++r)
    mean.data<float>()[r] = moments.data<float>()[2 * r], rstd.data<float>()[r] = moments.data<float>()[2 * r + 1];
  report(
      concat("LayerNorm ", rows, "x", width, ", backward").c_str(), 3 * x.bytes(),
      [&] {
        kernels::layer_norm_backward<float>(dy.data<float>(), x.data<float>(), rows, width, w.data<float>(), moments.data<float>(), nullptr,
                                            dx.data<float>(), dw.data<float>(), db.data<float>());
      },
      [&] {
        Call("aten::native_layer_norm_backward")
            .tensor(dy)
            .tensor(x)
            .integers({width})
            .tensor(mean)
            .tensor(rstd)
            .optional(w)
            .optional(b)
            .booleans({true, true, true})
            .run(3);
      });
}

void gelu(int64_t rows, int64_t width) {
  const Tensor x = filled({rows, width}), dy = filled(x.shape()), dx = Tensor::empty(x.shape());
  report(
      concat("GELU ", rows, "x", width).c_str(), 2 * x.bytes(), [&] { ops::activate(x, ops::Activation::gelu); },
      [&] { Call("aten::gelu").tensor(x).text("none").run(1); });
  report(
      concat("GELU ", rows, "x", width, ", backward").c_str(), 3 * x.bytes(),
      [&] {
        parallel_for(x.numel(), 8192, [&](int64_t begin, int64_t end) {
          kernels::rowwise_functions<float>().gelu_backward(dy.data<float>() + begin, x.data<float>() + begin, dx.data<float>() + begin,
                                                            end - begin);
        });
      },
      [&] { Call("aten::gelu_backward").tensor(dy).tensor(x).text("none").run(1); });
}

void geglu() {
  const Tensor x = filled({1280, 512}), value = filled({1280, 256}), gate = filled({1280, 256});
  report(
      "GEGLU 1280x256", x.bytes() + value.bytes(), [&] { ops::geglu(x); },
      [&] {
        const auto y = Call("aten::gelu").tensor(gate).text("none").run(1);
        Call("aten::mul_", "Tensor").tensor(y[0]).tensor(value).run(1);
      });
}

// libtorch gets the heads apart already; ours finds them inside the rows.
void attention(const char* name, int64_t keys) {
  constexpr int64_t kImages = 20, kQueries = 64, kHeads = 4, kHead = 16, kWidth = kHeads * kHead;
  const Tensor q = filled({kImages, kQueries, kWidth}), kv = filled({kImages, keys, 2 * kWidth});
  const Tensor heads = filled({kImages, kHeads, kQueries, kHead}), k = filled({kImages, kHeads, keys, kHead});
  report(
      name, 2 * q.bytes() + kv.bytes(),
      [&] {
        ops::attention({q, 0}, {kv, 0}, {kv, kWidth}, kHeads, kHead, false);
      },
      [&] {
        Call("aten::scaled_dot_product_attention")
            .tensor(heads)
            .tensor(k)
            .tensor(k)
            .none()
            .real(0)
            .boolean(false)
            .none()
            .boolean(false)
            .run(1);
      });
}

// Of a transformer's layer of 12 heads of 64; libtorch gets the heads apart already.
void self_attention(int64_t images, int64_t tokens) {
  constexpr int64_t kHeads = 12, kHead = 64, kWidth = kHeads * kHead;
  const Tensor qkv = filled({images, tokens, 3 * kWidth}), dout = filled({images, tokens, kWidth}), dqkv = Tensor::empty(qkv.shape()),
               out = Tensor::empty(dout.shape());
  const Shape apart = {images, kHeads, tokens, kHead};
  const Tensor q = filled(apart), k = filled(apart), v = filled(apart), d = filled(apart);
  const auto theirs = [&] {
    return Call("aten::_scaled_dot_product_flash_attention_for_cpu")
        .tensor(q)
        .tensor(k)
        .tensor(v)
        .real(0)
        .boolean(false)
        .none()
        .none()
        .run(2);
  };
  const std::string name = concat("self-attention of ", tokens, " tokens, ", images, " images");
  report((name + ", inference").c_str(), qkv.bytes() + out.bytes(), [&] { ops::self_attention(qkv, kHeads); }, theirs);
  report((name + ", forward").c_str(), qkv.bytes() + out.bytes(),
         [&] { kernels::self_attention<float>(images, tokens, kHeads, kHead, qkv.data<float>(), nullptr, out.data<float>()); }, theirs);
  const auto saved = theirs();
  report((name + ", backward").c_str(), 2 * qkv.bytes() + dout.bytes(),
         [&] {
           kernels::self_attention_backward<float>(images, tokens, kHeads, kHead, qkv.data<float>(), nullptr, dout.data<float>(),
                                                   dqkv.data<float>());
         },
         [&] {
           Call("aten::_scaled_dot_product_flash_attention_for_cpu_backward")
               .tensor(d)
               .tensor(q)
               .tensor(k)
               .tensor(v)
               .tensor(saved[0])
               .tensor(saved[1])
               .real(0)
               .boolean(false)
               .none()
               .none()
               .run(3);
         });
}

// One element of eps each for the conditional and the negative half, x read and written: nine passes in elementwise operators
// (guidance three, the predicted image three, the step three).
void ddim() {
  constexpr int64_t kElements = 50 * 256;
  const Tensor x = filled({kElements}), eps = filled({kElements}), negative = filled({kElements});
  const kernels::DdimStep step = kernels::ddim_step(0.5, 0.6, 0, false);
  report(
      "guidance + DDIM update, 50 latents", 4 * x.bytes(),
      [&] {
        kernels::sampling_kernels().update(step, kElements, x.data<float>(), eps.data<float>(), negative.data<float>(), 7.5f, nullptr);
      },
      [&] {
        for (int pass = 0; pass < 9; ++pass) Call("aten::mul", "Tensor").tensor(eps).tensor(negative).run(1);
      });
}

struct Activations {
  const char* name;
  int64_t n, side, c;
  bool residual;
  kernels::Activation activation = kernels::Activation::relu;
};

bool hard_swish(const Activations& a) { return a.activation == kernels::Activation::hard_swish; }

void batch_norm(const Activations& a) {
  const int64_t rows = a.n * a.side * a.side;
  const Tensor x = filled({a.n, a.side, a.side, a.c}), residual = filled(x.shape()), w = filled({a.c}), b = filled({a.c});
  const Tensor rm = Tensor::zeros({a.c}), rv = filled({a.c}, 0.5f), y = Tensor::empty(x.shape());
  const Tensor bits = Tensor::empty({rows, kernels::gate_pitch(a.c)}, DType::u8);
  std::vector<double> mean(static_cast<size_t>(a.c)), variance(static_cast<size_t>(a.c));
  std::vector<float> m(mean.size()), invstd(mean.size()), scale(mean.size()), shift(mean.size());
  report((std::string(a.name) + ", forward").c_str(), (a.residual ? 4 : 3) * x.bytes(),
         [&] {
           kernels::batch_moments<float>(x.data<float>(), rows, a.c, mean.data(), variance.data());
           for (size_t i = 0; i < m.size(); ++i)
             m[i] = static_cast<float>(mean[i]), invstd[i] = static_cast<float>(1 / std::sqrt(variance[i] + 1e-5));
           kernels::batch_norm_fold(a.c, w.data<float>(), b.data<float>(), m.data(), invstd.data(), scale.data(), shift.data());
           kernels::batch_norm_apply<float>(x.data<float>(), rows, a.c, scale.data(), shift.data(),
                                            a.residual ? residual.data<float>() : nullptr, a.activation, y.data<float>(),
                                            a.residual ? bits.data<uint8_t>() : nullptr);
         },
         [&] {
           const auto z = Call("aten::native_batch_norm")
                              .tensor(x, View::channels_last)
                              .optional(w)
                              .optional(b)
                              .optional(rm)
                              .optional(rv)
                              .boolean(true)
                              .real(0.1)
                              .real(1e-5)
                              .run({View::channels_last, View::plain, View::plain});
           if (a.residual)
             Call("aten::mul_", "Tensor").tensor(y, View::channels_last).tensor(residual, View::channels_last).run(1, View::channels_last);
           Call(hard_swish(a) ? "aten::hardswish_" : "aten::relu_").tensor(y, View::channels_last).run(1, View::channels_last);
         });
}

void batch_norm_backward(const Activations& a) {
  const int64_t rows = a.n * a.side * a.side;
  const Tensor x = filled({a.n, a.side, a.side, a.c}), dy = filled(x.shape()), w = filled({a.c}), b = filled({a.c});
  const Tensor m = Tensor::zeros({a.c}), invstd = filled({a.c}, 0.5f), dx = Tensor::empty(x.shape()), dw = Tensor::empty({a.c}),
               db = Tensor::empty({a.c});
  const Tensor bits = Tensor::zeros({rows, kernels::gate_pitch(a.c)}, DType::u8), dz = Tensor::empty(x.shape());
  report((std::string(a.name) + ", backward").c_str(), (a.residual ? 6 : 5) * x.bytes(),
         [&] {
           kernels::batch_norm_backward<float>(dy.data<float>(), x.data<float>(), rows, a.c, w.data<float>(), b.data<float>(),
                                               m.data<float>(), invstd.data<float>(),
                                               a.residual      ? kernels::Gate::relu_bits
                                               : hard_swish(a) ? kernels::Gate::hard_swish
                                                               : kernels::Gate::relu,
                                               a.residual ? bits.data<uint8_t>() : nullptr, dw.data<float>(), db.data<float>(),
                                               dx.data<float>(), a.residual ? dz.data<float>() : nullptr);
         },
         [&] {
           Call(hard_swish(a) ? "aten::hardswish_backward" : "aten::mul", hard_swish(a) ? "" : "Tensor")  // the ReLU's
               .tensor(dy, View::channels_last)
               .tensor(x, View::channels_last)
               .run(1, View::channels_last);
           Call("aten::native_batch_norm_backward")
               .tensor(dy, View::channels_last)
               .tensor(x, View::channels_last)
               .optional(w)
               .optional(m)
               .optional(invstd)
               .optional(m)
               .optional(invstd)
               .boolean(true)
               .real(1e-5)
               .booleans({true, true, true})
               .run({View::channels_last, View::plain, View::plain});
         });
}

// Forward, then both gradients: libtorch computes them in one call.
void depthwise(int64_t n, int64_t side, int64_t c, int64_t kernel, int64_t stride) {
  const auto s = kernels::depthwise_shape(n, side, side, c, kernel, stride);
  const Tensor x = filled({n, side, side, c}), w = filled({c, kernel, kernel, 1}), y = Tensor::empty({n, s.out_height, s.out_width, c});
  const Tensor dy = filled(y.shape()), dx = Tensor::empty(x.shape()), dw = Tensor::empty(w.shape());
  const std::string name = concat("depthwise ", kernel, "x", kernel, stride == 2 ? " /2" : "", ", ", n, "x", side, "x", side, "x", c);
  const int64_t pad = kernel / 2;
  report(
      name.c_str(), x.bytes() + y.bytes(),
      [&] { kernels::depthwise_forward(s, x.data<float>(), w.data<float>(), nullptr, kernels::Activation::none, y.data<float>()); },
      [&] {
        Call("aten::convolution")
            .tensor(x, View::channels_last)
            .tensor(w, View::channels_last)
            .none()
            .integers({stride, stride})
            .integers({pad, pad})
            .integers({1, 1})
            .boolean(false)
            .integers({0, 0})
            .integer(c)
            .run(1, View::channels_last);
      });
  report((name + ", backward").c_str(), 2 * (x.bytes() + y.bytes()),
         [&] {
           kernels::depthwise_input_gradient(s, dy.data<float>(), w.data<float>(), dx.data<float>(), false);
           kernels::depthwise_weight_gradient(s, dy.data<float>(), x.data<float>(), dw.data<float>());
         },
         [&] {
           Call("aten::convolution_backward")
               .tensor(dy, View::channels_last)
               .tensor(x, View::channels_last)
               .tensor(w, View::channels_last)
               .none()
               .integers({stride, stride})
               .integers({pad, pad})
               .integers({1, 1})
               .boolean(false)
               .integers({0, 0})
               .integer(c)
               .booleans({true, true, false})
               .run(2, View::channels_last);
         });
}

// The means and the excitation, without the layers between.
void squeeze_excite(int64_t n, int64_t side, int64_t c) {
  const int64_t pixels = side * side, image = pixels * c;
  const Tensor x = filled({n, side, side, c}), by = filled({n, 1, 1, c}), y = Tensor::empty(x.shape()), dy = filled(x.shape()),
               dx = Tensor::empty(x.shape());
  const Tensor means = Tensor::empty(by.shape()), dby = Tensor::empty(by.shape());
  const auto per_image = [&](const auto& body) {
    parallel_for(n, 1 + (1 << 14) / image, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) body(kernels::squeeze_excite_loops<float>(), i * image, i * c);
    });
  };
  const auto times = [](const Tensor& a, const Tensor& b) {
    return Call("aten::mul", "Tensor").tensor(a, View::channels_last).tensor(b, View::channels_last).run(1, View::channels_last)[0];
  };
  const auto mean = [](const Tensor& a) {
    return Call("aten::_adaptive_avg_pool2d").tensor(a, View::channels_last).integers({1, 1}).run(1, View::channels_last)[0];
  };
  const std::string name = concat("squeeze, excite ", n, "x", side, "x", side, "x", c);
  report(
      name.c_str(), 3 * x.bytes(),
      [&] {
        per_image([&](const auto& k, int64_t at, int64_t row) {
          k.mean(x.data<float>() + at, pixels, c, means.data<float>() + row);
          k.excite(x.data<float>() + at, by.data<float>() + row, pixels, c, y.data<float>() + at);
        });
      },
      [&] {
        mean(x);
        times(x, Call("aten::hardsigmoid").tensor(by, View::channels_last).run(1, View::channels_last)[0]);
      });
  report((name + ", backward").c_str(), 5 * x.bytes(),
         [&] {
           per_image([&](const auto& k, int64_t at, int64_t row) {
             k.excite_backward(dy.data<float>() + at, x.data<float>() + at, by.data<float>() + row, pixels, c, dx.data<float>() + at,
                               dby.data<float>() + row);
             k.mean_backward(means.data<float>() + row, pixels, c, true, dx.data<float>() + at);
           });
         },
         [&] {  // a product for dx, one and a sum for the factors, the mean's gradient, and their sum
           times(dy, by);
           mean(times(dy, x));
           Call("aten::hardsigmoid_backward").tensor(by, View::channels_last).tensor(by, View::channels_last).run(1, View::channels_last);
           Call("aten::_adaptive_avg_pool2d_backward")
               .tensor(by, View::channels_last)
               .tensor(x, View::channels_last)
               .run(1, View::channels_last);
           times(dy, x);
         });
}

// Layer scale, stochastic depth and the residual, no image left out; libtorch's stochastic depth multiplies by an image's factor.
void branch(int64_t images, int64_t side, int64_t c) {
  const Tensor x = filled({images, side, side, c}), b = filled(x.shape()), scale = filled({c}), y = Tensor::empty(x.shape()),
               dy = filled(x.shape());
  const Tensor wide = filled({c, 1, 1}), factor = filled({images, 1, 1, 1});
  const int64_t rows = images * side * side;
  std::vector<double> sums(static_cast<size_t>(c));
  const auto times = [](const Tensor& a, const Tensor& by, View view = View::plain) {
    return Call("aten::mul", "Tensor").tensor(a, View::channels_last).tensor(by, view).run(1, View::channels_last)[0];
  };
  const std::string name = concat("layer scale, stochastic depth, add ", images, "x", side, "x", side, "x", c);
  report(
      name.c_str(), 3 * x.bytes(),
      [&] {
        parallel_for(rows, 256, [&](int64_t begin, int64_t end) {
          kernels::branch_functions<float>().add(x.data<float>() + begin * c, b.data<float>() + begin * c, end - begin, c,
                                                 scale.data<float>(), 1.25f, y.data<float>() + begin * c);
        });
      },
      [&] {
        times(times(times(b, wide), factor), x,
              View::channels_last);  // the last one stands for an addition, whose alpha has no stable type
      });
  report((name + ", backward").c_str(), 3 * x.bytes(),
         [&] {
           std::fill(sums.begin(), sums.end(), 0.0);
           kernels::branch_functions<float>().backward(dy.data<float>(), b.data<float>(), rows, c, scale.data<float>(), 1.25f,
                                                       y.data<float>(), sums.data());
         },
         [&] {
           const Tensor scaled = times(dy, factor);
           times(scaled, wide);
           Call("aten::sum_to_size").tensor(times(scaled, b, View::channels_last), View::channels_last).integers({1, c, 1, 1}).run(1);
         });
}

void max_pool() {
  const Tensor x = filled({128, 16, 16, 64});
  report(
      "max pool 3x3 /2, 128x16x16x64", x.bytes() * 5 / 4, [&] { ops::max_pool(x); },
      [&] {
        Call("aten::max_pool2d_with_indices")
            .tensor(x, View::channels_last)
            .integers({3, 3})
            .integers({2, 2})
            .integers({1, 1})
            .integers({1, 1})
            .boolean(false)
            .run(2, View::channels_last);
      });
}

void cross_entropy() {
  constexpr int64_t kRows = 128, kClasses = 100, kFloat = 6;
  const Tensor logits = filled({kRows, kClasses}), labels = Tensor::zeros({kRows}, DType::i64), one = filled({1}, 1);
  const std::vector<int32_t> targets(kRows, 0);
  report(
      "cross-entropy, forward and backward, 128x100", 2 * logits.bytes(), [&] { ops::cross_entropy(logits, targets.data(), 0); },
      [&] {
        const auto p = Call("aten::_log_softmax").tensor(logits).integer(1).boolean(false).run(1);
        const auto loss = Call("aten::nll_loss_forward").tensor(p[0]).tensor(labels).none().integer(1).integer(-100).run(2);
        const auto d = Call("aten::nll_loss_backward")
                           .tensor(loss[0])
                           .tensor(p[0])
                           .tensor(labels)
                           .none()
                           .integer(1)
                           .integer(-100)
                           .tensor(loss[1])
                           .run(1);
        Call("aten::_log_softmax_backward_data").tensor(d[0]).tensor(p[0]).integer(1).integer(kFloat).run(1);
      });
}

void adamw() {
  constexpr int64_t kParameters = 4 << 20;
  const Tensor p = filled({kParameters}), g = filled({kParameters}), m = filled({kParameters}), v = filled({kParameters}, 0),
               step = filled({1}, 1);
  report(
      "AdamW, 4 Mi parameters", 7 * p.bytes(),
      [&] {
        kernels::adamw({{p.data<float>(), g.data<float>(), m.data<float>(), v.data<float>(), kParameters}},
                       {1e-6, 0.9, 0.999, 1e-8, 0.05, 10});
      },
      [&] {
        Call("aten::_fused_adamw_")
            .tensors({p})
            .tensors({g})
            .tensors({m})
            .tensors({v})
            .tensors({})
            .tensors({step})
            .real(1e-6)
            .real(0.9)
            .real(0.999)
            .real(0.05)
            .real(1e-8)
            .boolean(false)
            .boolean(false)
            .none()
            .none()
            .run(0);
      });
}

void ema() {
  constexpr int64_t kParameters = 4 << 20;
  const Tensor average = filled({kParameters}), weight = filled({kParameters});
  report(
      "moving average, 4 Mi parameters", 3 * average.bytes(),
      [&] {
        kernels::ema({{average.data<float>(), weight.data<float>(), kParameters}}, 0.999);
      },
      [&] { Call("aten::lerp_", "Tensor").tensor(average).tensor(weight).tensor(filled({1}, 0.001f)).run(0); });
}

void gradient_norm() {
  constexpr int64_t kParameters = 4 << 20;
  const Tensor gradient = filled({kParameters});
  report(
      "norm of 4 Mi gradients", gradient.bytes(),
      [&] {
        kernels::gradient_norm({{gradient.data<float>(), kParameters}});
      },
      [&] { Call("aten::frobenius_norm", "dim").tensor(gradient).integers({0}).boolean(false).run(1); });
}

void mixup() {
  const Tensor x = filled({128, 32, 32, 3}), y = Tensor::empty(x.shape()), share = filled({1}, 0.3f);
  report(
      "mixup, 128x32x32x3", 3 * x.bytes(), [&] { kernels::mixup(x.data<float>(), 128, 32 * 32 * 3, 0.3, y.data<float>()); },
      [&] {
        const auto rolled = Call("aten::roll").tensor(x).integers({1}).integers({0}).run(1);
        Call("aten::lerp", "Tensor").tensor(rolled[0]).tensor(x).tensor(share).run(1);
      });
}

// libtorch gets the crop as floats: only the resampling and the normalisation are counted.
void augment() {
  constexpr int64_t kImages = 128, kSide = 32;
  std::vector<uint8_t> image(kSide * kSide * 3, 100);
  const float mean[] = {0.5f, 0.5f, 0.5f}, deviation[] = {0.2f, 0.2f, 0.2f};
  std::vector<float> table(256 * 3);
  kernels::normalisation_table(mean, deviation, table.data());
  const Tensor out = Tensor::empty({kImages, kSide, kSide, 3}), crop = filled({kImages, 24, 24, 3}),
               factor = filled({kImages, kSide, kSide, 3});
  report(
      "crop, resize, flip, normalise 128 of 32x32", out.bytes() + kImages * 24 * 24 * 3,
      [&] {
        for (int64_t i = 0; i < kImages; ++i) {
          kernels::augment_image(image.data(), kSide, kSide, {0, {4, 4, 24, 24, true}, kernels::whole_window(kSide, kSide)}, mean,
                                 deviation, table.data(), out.data<float>() + i * kSide * kSide * 3);
        }
      },
      [&] {
        const auto big = Call("aten::upsample_bilinear2d")
                             .tensor(crop, View::channels_last)
                             .integers({kSide, kSide})
                             .boolean(false)
                             .none()
                             .none()
                             .run(1, View::channels_last);
        for (int pass = 0; pass < 2; ++pass) {
          Call("aten::mul_", "Tensor").tensor(big[0], View::channels_last).tensor(factor, View::channels_last).run(1, View::channels_last);
        }
      });
}

}  // namespace

int main(int argc, char** argv) {
  std::string directory = MOTLEY_DEFAULT_LIBTORCH;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string key = argv[i];
    if (key == "--libtorch") directory = argv[i + 1];
    if (key == "--threads") measure.threads = std::atoi(argv[i + 1]);
    if (key == "--repeats") measure.repeats = std::atoi(argv[i + 1]);
    if (key == "--only") only = argv[i + 1];
  }
  libtorch::load(directory);
  libtorch::set_threads(measure.threads);
  std::printf("%s, %s, libtorch %s, %d thread(s), medians of %d alternations\n\n", kernels::cpu_brand(), kernels::name_of(kernels::isa()),
              libtorch::version().c_str(), measure.threads, measure.repeats);
  std::printf("| kernel | us | GB/s | copy GB/s | of the copy | x plain build | x libtorch |\n|---|---|---|---|---|---|---|\n");
  group_norm("GroupNorm + SiLU 20x8x8x64", 20, 8, 64);
  group_norm("GroupNorm + SiLU 20x4x4x128", 20, 4, 128);
  group_norm("GroupNorm + SiLU 16x32x32x16", 16, 32, 16);
  layer_norm(1280, 64);
  for (int64_t rows : {640, 8320}) {  // 128 images of 5 and 65 tokens
    layer_norm(rows, 768);
    layer_norm_backward(rows, 768);
  }
  gelu(640, 3072);
  geglu();
  attention("attention 64x64, 4 heads of 16, 20 images", 64);
  attention("attention 64x77, 4 heads of 16, 20 images", 77);
  self_attention(128, 5);
  self_attention(16, 65);
  self_attention(4, 257);
  ddim();
  for (const Activations& a :
       {Activations{"BatchNorm + ReLU 128x8x8x64", 128, 8, 64, false}, Activations{"BatchNorm + add + ReLU 128x8x8x256", 128, 8, 256, true},
        Activations{"BatchNorm + add + ReLU 128x2x2x1024", 128, 2, 1024, true},
        Activations{"BatchNorm + hard-swish 128x4x4x96", 128, 4, 96, false, kernels::Activation::hard_swish}}) {
    batch_norm(a);
    batch_norm_backward(a);
  }
  depthwise(128, 16, 16, 3, 2);
  depthwise(128, 8, 72, 3, 2);
  depthwise(128, 4, 88, 3, 1);
  depthwise(128, 4, 96, 5, 2);
  depthwise(128, 2, 240, 5, 1);
  depthwise(128, 1, 576, 5, 1);
  depthwise(128, 8, 96, 7, 1);
  depthwise(128, 2, 384, 7, 1);
  squeeze_excite(128, 2, 240);
  squeeze_excite(128, 8, 96);
  branch(128, 8, 96);
  branch(128, 2, 384);
  max_pool();
  cross_entropy();
  adamw();
  ema();
  gradient_norm();
  mixup();
  augment();
  return 0;
}
