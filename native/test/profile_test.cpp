// SPDX-License-Identifier: Apache-2.0
// The profile counts what small ops are known to cost, and nothing while it is off.
#include "ops/profile.h"

#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "kernels/cpu/peak.h"
#include "libtorch/parallel.h"
#include "ops/attention.h"
#include "ops/layout.h"
#include "ops/linear.h"
#include "ops/normalise.h"
#include "ops/peaks.h"
#include "support/golden.h"
#include "support/threads.h"

using namespace motley;

namespace {

struct Profiling {
  Profiling() { ops::start_profile(); }
  ~Profiling() { ops::stop_profile(); }
};

// The only kind of layer that was called.
ops::ProfileEntry only_entry() {
  ops::stop_profile();
  const ops::Profile profile = ops::profile();
  REQUIRE(profile.entries.size() == 1);
  CHECK(profile.entries[0].seconds > 0);
  CHECK(profile.entries[0].seconds <= profile.seconds);
  return profile.entries[0];
}

void check(const ops::ProfileEntry& e, const char* op, const char* shape, int64_t calls, double flops, double bytes) {
  CHECK(e.op == op);
  CHECK(e.shape == shape);
  CHECK(e.calls == calls);
  CHECK(e.flops == flops);
  CHECK(e.bytes == bytes);
}

}  // namespace

TEST_CASE("a profile is off until it is started") {
  ops::start_profile();
  ops::stop_profile();
  ops::activate(Tensor::zeros({4, 4}), ops::Activation::silu);
  CHECK(ops::profile().entries.empty());
  const double seconds = ops::profile().seconds;
  ops::stop_profile();
  CHECK(ops::profile().seconds == seconds);
}

TEST_CASE("convolutions count the multiply-adds of the layer, whatever the algorithm, and each matrix once") {
  for (DType dtype : {DType::f32, DType::bf16, DType::f16}) {
    const double size = static_cast<double>(size_of(dtype));
    const ops::Weight w(Tensor::zeros({6, 3, 3, 5}, dtype));
    const Tensor x = Tensor::zeros({2, 8, 4, 5}, dtype);
    ops::Epilogue e;
    e.bias = Tensor::zeros({6});
    e.per_image = Tensor::zeros({2, 6});
    e.residual = Tensor::zeros({2, 8, 4, 6}, dtype);
    const Profiling on;
    ops::conv2d(x, w, ops::Conv2d::same(3), e);
    ops::conv2d(x, w, ops::Conv2d::same(3), e);
    check(only_entry(), "conv2d", "3x3 5->6 @8x4", 2, 2 * 2 * 2 * 32 * 6 * 45,
          2 * ((2 * 32 * 5 + 6 * 45 + 2 * 2 * 32 * 6) * size + 4 * (6 + 12)));
  }
  const Tensor x = Tensor::zeros({1, 8, 8, 5});
  {
    const Profiling on;
    ops::conv2d(x, Tensor::zeros({6, 1, 1, 5}), ops::Conv2d::same(1, 2));
    check(only_entry(), "conv2d", "1x1 5->6 /2 @8x8", 1, 2 * 16 * 6 * 5, 4 * (64 * 5 + 30 + 16 * 6));
  }
  const ops::Weight w(Tensor::zeros({6, 3, 3, 5}));
  const Profiling on;
  ops::upsample_conv2d(x, w);
  check(only_entry(), "upsample_conv2d", "5->6 @16x16", 1, 2 * 256 * 6 * 45, 4 * (64 * 5 + 6 * 45 + 256 * 6));
}

TEST_CASE("linear layers, attention and norms count theirs") {
  {
    const ops::Weight w(Tensor::zeros({7, 5}, DType::bf16));
    const Tensor x = Tensor::zeros({3, 11, 5}, DType::bf16);
    const Profiling on;
    ops::linear(x, w);
    check(only_entry(), "linear", "5->7 x11", 1, 2 * 33 * 7 * 5, 2 * (33 * 5 + 35 + 33 * 7));
  }
  {
    const Tensor qkv = Tensor::zeros({2, 9, 36});
    const Profiling on;
    ops::attention({qkv, 0}, {qkv, 12}, {qkv, 24}, 3, 4, false);
    check(only_entry(), "self attention", "3x4 @9", 1, 4 * 2 * 81 * 12, 4 * 4 * 2 * 9 * 12);
  }
  {
    const Tensor q = Tensor::zeros({2, 9, 12}), kv = Tensor::zeros({5, 4, 24});
    const std::vector<int32_t> which = {3, 0};
    const Profiling on;
    ops::attention({q, 0}, {kv, 0}, {kv, 12}, 3, 4, false, which.data());
    check(only_entry(), "cross attention", "3x4 @9 to 4", 1, 4 * 2 * 36 * 12, 4 * 2 * (2 * 9 + 2 * 4) * 12);
  }
  const Tensor x = Tensor::zeros({2, 4, 4, 8}), one = Tensor::zeros({8});
  const Profiling on;
  ops::group_norm(x, 2, 1e-5, one, one, ops::Activation::silu);
  check(only_entry(), "group_norm", "8 @4x4", 1, 0, 4 * (2 * 256 + 16));
}

TEST_CASE("kinds are sums over calls of all threads, the slowest first; one within another counts its own time") {
  const Tensor small = Tensor::zeros({1, 4}), large = Tensor::zeros({64, 64, 64, 8});
  const auto pause = [](const char* op, const auto& body) {
    const ops::Timed timed(op, [] { return ops::Work{}; });
    body();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  };
  const Profiling on;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { ops::activate(small, ops::Activation::silu); });
  for (std::thread& t : threads) t.join();
  ops::activate(large, ops::Activation::silu);
  pause("outer", [&] { pause("inner", [] {}); });
  ops::stop_profile();
  const ops::Profile profile = ops::profile();
  REQUIRE(profile.entries.size() == 4);
  double sum = 0;
  for (size_t i = 0; i < 4; ++i) {
    const ops::ProfileEntry& e = profile.entries[i];
    CHECK((i == 0 || profile.entries[i - 1].seconds >= e.seconds));
    CHECK(e.calls == (e.shape == "4" ? 4 : 1));
    if (e.op == "outer") CHECK(e.seconds < 0.035);
    sum += e.seconds;
  }
  CHECK(sum <= profile.seconds * 1.01);
}

TEST_CASE("what began before a profile or ends after it is not counted") {
  {
    const ops::Timed before("before", [] { return ops::Work{}; });
    ops::start_profile();
  }
  {
    const ops::Timed within("within", [] { return ops::Work{}; });
    ops::start_profile();  // anew
  }
  {
    const ops::Timed after("after", [] { return ops::Work{}; });
    ops::stop_profile();
  }
  CHECK(ops::profile().entries.empty());
}

TEST_CASE("an op's seconds are weighted with its share of the threads") {
  const Threads threads(4);
  const auto nap = [] {
    const ops::Timed timed("nap", [] { return ops::Work{}; });
    std::this_thread::sleep_for(std::chrono::milliseconds(40));
  };
  const Profiling on;
  nap();
  CHECK(only_entry().seconds >= 0.04);
  ops::start_profile();
  parallel_for(4, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) nap();
  });
  const ops::ProfileEntry each = only_entry();
  CHECK(each.calls == 4);
  CHECK(each.seconds >= 0.04);
  CHECK(each.seconds < 0.15);
}

TEST_CASE("the C ABI gives a profile as JSON, and says what buffer it needs") {
  motley_error error = {};
  std::vector<char> buffer(4096);
  motley_profile_start();
  ops::linear(Tensor::zeros({2, 3}), Tensor::zeros({4, 3}));
  motley_profile_stop();
  REQUIRE(motley_profile_json(buffer.data(), 4096, &error) == MOTLEY_OK);
  const test::Json json = test::parse_json(buffer.data());
  CHECK(json["seconds"].number > 0);
  REQUIRE(json["ops"].items.size() == 1);
  const test::Json& op = json["ops"][0];
  CHECK(op["op"].text == "linear");
  CHECK(op["shape"].text == "3->4 x2");
  CHECK(op["calls"].number == 1);
  CHECK(op["flops"].number == 2 * 2 * 3 * 4);
  CHECK(op["bytes"].number == 4 * (6 + 12 + 8));
  const auto needed = static_cast<int64_t>(std::strlen(buffer.data())) + 1;
  CHECK(motley_profile_json(buffer.data(), needed, &error) == MOTLEY_OK);
  CHECK(motley_profile_json(buffer.data(), needed - 1, &error) == MOTLEY_INVALID_ARGUMENT);
  CHECK(std::string(error.message) == concat("the buffer holds ", needed - 1, " bytes, ", needed, " are needed"));
  CHECK(motley_profile_json(nullptr, needed, &error) == MOTLEY_INVALID_ARGUMENT);
}

TEST_CASE("peaks are those of a machine") {
  motley_error error = {};
  motley_peaks peaks = {};
  REQUIRE(motley_measure_peaks(MOTLEY_PRECISION_FP32, &peaks, &error) == MOTLEY_OK);
  CHECK(peaks.product > 1e8);
  CHECK(peaks.copy > 1e8);
  CHECK(peaks.copy < 1e14);
  CHECK(peaks.multiply_add > 0.8 * peaks.product);  // other load may fall on one of them
  CHECK(peaks.multiply_add < 1e15);
  CHECK(motley_measure_peaks(9, &peaks, &error) == MOTLEY_INVALID_ARGUMENT);
  CHECK(std::string(error.message).find("peaks: unknown precision 9") == 0);
  CHECK(motley_measure_peaks(MOTLEY_PRECISION_FP32, nullptr, &error) == MOTLEY_INVALID_ARGUMENT);
}
