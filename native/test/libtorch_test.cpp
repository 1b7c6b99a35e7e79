// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <vector>

#include "libtorch/call.h"
#include "libtorch/memory.h"
#include "ops/linear.h"
#include "ops/tape.h"

using namespace motley;

TEST_CASE("an operator of libtorch is called through the C ABI") {
  const float a[] = {1, 2, 3, 4, 5, 6}, b[] = {1, 0, 1, 0, 1, 0};
  const Tensor x = Tensor::of({2, 3}, a), w = Tensor::of({2, 3}, b);
  const Tensor y = ops::linear(x, w);
  REQUIRE(y.shape() == Shape{2, 2});
  CHECK(y.data<float>()[0] == 4);
  CHECK(y.data<float>()[1] == 2);
  CHECK(y.data<float>()[2] == 10);
  CHECK(y.data<float>()[3] == 5);
}

TEST_CASE("an operator that fails is an exception, not a crash") {
  const Tensor x = Tensor::zeros({2, 3}), w = Tensor::zeros({2, 4});
  CHECK_THROWS_AS(libtorch::Call("aten::linear").tensor(x).tensor(w).none().run(1), Error);
}

TEST_CASE("memory goes back to the pool and is handed out again") {
  const int64_t before = memory::live_bytes();
  void* first = nullptr;
  {
    Tensor t = Tensor::empty({1000, 1000});
    first = t.raw();
    CHECK(memory::live_bytes() - before >= 4'000'000);
  }
  CHECK(memory::live_bytes() == before);
  CHECK(Tensor::empty({1000, 1000}).raw() == first);
}

TEST_CASE("the tape adds up the gradients of a tensor used twice") {
  Tape tape;
  const float one[] = {1, 2};
  const Tensor w = Tensor::of({1, 2}, one), x = Tensor::of({1, 2}, one), gradient = Tensor::zeros({1, 2});
  tape.watch(w, gradient);
  Tensor y;
  {
    Tape::Recording recording(tape);
    y = ops::conv2d(x.viewed({1, 1, 1, 2}), w.viewed({1, 1, 1, 2}), {});
  }
  CHECK_FALSE(tape.wants(y));  // a view is another tensor: nothing of it was watched
}
