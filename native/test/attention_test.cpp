// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/attention.h"

#include <doctest/doctest.h>

#include <cstring>

#include "ops/attention.h"
#include "support/compare.h"
#include "support/emulated_units.h"

using namespace motley;
using namespace motley::test;

namespace {

struct Case {
  int64_t images, heads, head, queries, keys;
  bool causal;
};

std::vector<double> exact_attention(const Case& c, const Tensor& q, const Tensor& k, const Tensor& v, const int32_t* which) {
  const int64_t width = c.heads * c.head;
  std::vector<double> out(static_cast<size_t>(c.images * c.queries * width)), head(static_cast<size_t>(c.queries * c.head));
  const kernels::AttentionShape shape = {
      c.queries, c.keys, c.head, width, width, width, width, 0, c.causal, static_cast<float>(1 / std::sqrt(static_cast<double>(c.head)))};
  for (int64_t i = 0; i < c.images; ++i) {
    const int64_t source = which ? which[i] : i;
    for (int64_t h = 0; h < c.heads; ++h) {
      kernels::reference::attention(shape, q.data<float>() + i * c.queries * width + h * c.head,
                                    k.data<float>() + source * c.keys * width + h * c.head,
                                    v.data<float>() + source * c.keys * width + h * c.head, head.data());
      for (int64_t t = 0; t < c.queries; ++t) {
        for (int64_t e = 0; e < c.head; ++e)
          out[static_cast<size_t>((i * c.queries + t) * width + h * c.head + e)] = head[static_cast<size_t>(t * c.head + e)];
      }
    }
  }
  return out;
}

Tensor random(Shape shape, uint32_t seed, double deviation) {
  const auto values = normals(static_cast<size_t>(elements(shape)), seed, 0, deviation);
  return Tensor::of(std::move(shape), values.data());
}

std::vector<float> list(const Tensor& t) {
  const Tensor f = t.to(DType::f32);
  return {f.data<float>(), f.data<float>() + f.numel()};
}

}  // namespace

TEST_CASE("attention agrees with float64 over head sizes, lengths and masks") {
  for (const Case& c : {Case{1, 1, 1, 1, 1, false},
                        {2, 4, 16, 64, 64, false},
                        {2, 4, 16, 64, 77, false},
                        {1, 2, 40, 130, 300, false},
                        {1, 3, 12, 77, 77, true},
                        {1, 1, 64, 5, 3, false},
                        {1, 2, 160, 17, 33, false},
                        {1, 1, 4, 100, 513, false},
                        {1, 1, 7, 300, 300, true},
                        {1, 1, 512, 16, 16, false},
                        {1, 1, 160, 430, 33, true}}) {  // 430: three calls of the kernel
    CAPTURE(c.head);
    CAPTURE(c.keys);
    const int64_t width = c.heads * c.head;
    const Tensor q = random({c.images, c.queries, width}, 1, 1.5), k = random({c.images, c.keys, width}, 2, 1.5),
                 v = random({c.images, c.keys, width}, 3, 1);
    const auto exact = exact_attention(c, q, k, v, nullptr);
    on_every_isa([&] { CHECK(worst(list(ops::attention({q, 0}, {k, 0}, {v, 0}, c.heads, c.head, c.causal)), exact) < 3e-6); });
  }
}

TEST_CASE("attention survives scores that overflow a plain exponential") {
  const Case c = {1, 1, 8, 6, 300, false};
  const Tensor q = random({1, 6, 8}, 4, 40), k = random({1, 300, 8}, 5, 40), v = random({1, 300, 8}, 6, 1);
  const auto exact = exact_attention(c, q, k, v, nullptr);
  on_every_isa([&] {
    CHECK(worst(list(ops::attention({q, 0}, {k, 0}, {v, 0}, 1, 8, false)), exact) < 1e-3);
  });  // scores of 1e4: 1 ulp is 1e-3
}

TEST_CASE("a NaN in a query or key is seen in what depends on it, and only there") {
  constexpr int64_t queries = 20, keys = 37, head = 9;
  Tensor q = random({1, queries, head}, 4, 1), k = random({1, keys, head}, 5, 1);
  const Tensor v = random({1, keys, head}, 6, 1);
  on_every_isa([&] {
    const auto clean = list(ops::attention({q, 0}, {k, 0}, {v, 0}, 1, head, false));
    for (int64_t bad : {int64_t{0}, int64_t{7}, queries - 1}) {
      Tensor spoilt = q.clone();
      spoilt.data<float>()[bad * head + 3] = NAN;
      const auto y = list(ops::attention({spoilt, 0}, {k, 0}, {v, 0}, 1, head, false));
      for (int64_t i = 0; i < queries * head; ++i) {
        if (i / head == bad)
          CHECK(std::isnan(y[static_cast<size_t>(i)]));
        else
          CHECK(y[static_cast<size_t>(i)] == clean[static_cast<size_t>(i)]);
      }
    }
    for (int64_t bad : {int64_t{0}, int64_t{16}, keys - 1}) {
      Tensor spoilt = k.clone();
      spoilt.data<float>()[bad * head] = NAN;
      for (float y : list(ops::attention({q, 0}, {spoilt, 0}, {v, 0}, 1, head, false))) CHECK(std::isnan(y));
    }
  });
}

TEST_CASE("attention reads heads inside a joined projection and keys of another image's prompt") {
  constexpr int64_t n = 3, t = 10, heads = 2, head = 5, width = heads * head;
  const Tensor qkv = random({n, t, 3 * width}, 7, 1), kv = random({2, 4, 2 * width}, 8, 1);
  auto columns = [&](const Tensor& x, int64_t first) {
    Tensor out = Tensor::empty({x.size(0), x.size(1), width});
    for (int64_t r = 0; r < x.size(0) * x.size(1); ++r)
      std::copy_n(x.data<float>() + r * x.size(2) + first, width, out.data<float>() + r * width);
    return out;
  };
  const auto self = exact_attention({n, heads, head, t, t, false}, columns(qkv, 0), columns(qkv, width), columns(qkv, 2 * width), nullptr);
  CHECK(worst(list(ops::attention({qkv, 0}, {qkv, width}, {qkv, 2 * width}, heads, head, false)), self) < 1e-6);
  const int32_t which[] = {1, 0, 1};
  const auto cross = exact_attention({n, heads, head, t, 4, false}, columns(qkv, 0), columns(kv, 0), columns(kv, width), which);
  CHECK(worst(list(ops::attention({qkv, 0}, {kv, 0}, {kv, width}, heads, head, false, which)), cross) < 1e-6);
}

TEST_CASE("attention in 16 bits rounds its result only") {
  for (const auto& [type, error] : {std::pair{DType::bf16, 0.0041}, {DType::f16, 0.00051}}) {  // half a unit and a bit
    for (const Case& c : {Case{1, 2, 16, 20, 40, false}, {2, 3, 1, 3, 17, false}, {1, 2, 17, 64, 100, true}, {1, 1, 40, 130, 300, false}}) {
      CAPTURE(c.head);
      const int64_t width = c.heads * c.head;
      const Tensor q = random({c.images, c.queries, width}, 9, 1).to(type), k = random({c.images, c.keys, width}, 10, 1).to(type),
                   v = random({c.images, c.keys, width}, 11, 1).to(type);
      const auto exact = exact_attention(c, q.to(DType::f32), k.to(DType::f32), v.to(DType::f32), nullptr);
      on_every_isa([&] {
        if (type == DType::bf16 && kernels::pair_unit() != nullptr) return;  // whose weights are rounded too: below
        CHECK(worst(list(ops::attention({q, 0}, {k, 0}, {v, 0}, c.heads, c.head, c.causal)), exact) < error);
      });
    }
  }
}

TEST_CASE("attention on bf16 units rounds its weights and its result only") {
  for (const Case& c : {Case{1, 1, 1, 1, 1, false},
                        {2, 4, 16, 64, 64, false},
                        {2, 2, 40, 70, 300, false},
                        {1, 3, 12, 77, 77, true},
                        {1, 2, 160, 17, 33, false},
                        {1, 1, 80, 100, 513, false},
                        {1, 1, 7, 300, 300, true},
                        {1, 1, 512, 16, 16, false},
                        {2, 2, 64, 5, 3, false}}) {
    CAPTURE(c.head);
    CAPTURE(c.keys);
    const int64_t width = c.heads * c.head;
    const Tensor q = random({c.images, c.queries, width}, 1, 1.5).to(DType::bf16),
                 k = random({c.images, c.keys, width}, 2, 1.5).to(DType::bf16), v = random({c.images, c.keys, width}, 3, 1).to(DType::bf16);
    const auto exact = exact_attention(c, q.to(DType::f32), k.to(DType::f32), v.to(DType::f32), nullptr);
    for_each_unit([&] {
      const Tensor y = ops::attention({q, 0}, {k, 0}, {v, 0}, c.heads, c.head, c.causal);
      CHECK(worst(list(y), exact) < 0.02);  // values up to 4: half a unit of bf16 of the result, and 2^-9 of each weight
      const Tensor first = Tensor::wrap({1, c.queries, width}, DType::bf16, q.raw(), std::make_shared<Tensor>(q));
      const Tensor keys = Tensor::wrap({1, c.keys, width}, DType::bf16, k.raw(), std::make_shared<Tensor>(k));
      const Tensor values = Tensor::wrap({1, c.keys, width}, DType::bf16, v.raw(), std::make_shared<Tensor>(v));
      const Tensor alone = ops::attention({first, 0}, {keys, 0}, {values, 0}, c.heads, c.head, c.causal);
      CHECK(std::memcmp(alone.raw(), y.raw(), static_cast<size_t>(alone.bytes())) == 0);
    });
  }
}

TEST_CASE("a NaN on bf16 units is seen in what depends on it, and only there") {
  constexpr int64_t queries = 20, keys = 37, head = 9;
  const Tensor q = random({1, queries, head}, 4, 1).to(DType::bf16), k = random({1, keys, head}, 5, 1).to(DType::bf16),
               v = random({1, keys, head}, 6, 1).to(DType::bf16);
  for_each_unit([&] {
    const auto clean = list(ops::attention({q, 0}, {k, 0}, {v, 0}, 1, head, false));
    Tensor spoilt = q.clone();
    spoilt.data<bf16>()[7 * head + 3] = from_float<bf16>(NAN);
    const auto y = list(ops::attention({spoilt, 0}, {k, 0}, {v, 0}, 1, head, false));
    for (int64_t i = 0; i < queries * head; ++i) {
      if (i / head == 7)
        CHECK(std::isnan(y[static_cast<size_t>(i)]));
      else
        CHECK(y[static_cast<size_t>(i)] == clean[static_cast<size_t>(i)]);
    }
    spoilt = k.clone();
    spoilt.data<bf16>()[(keys - 1) * head] = from_float<bf16>(NAN);
    for (float value : list(ops::attention({q, 0}, {spoilt, 0}, {v, 0}, 1, head, false))) CHECK(std::isnan(value));
  });
}
