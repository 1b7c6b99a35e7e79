// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
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

TEST_CASE("trimming gives back what is idle and leaves what is in use") {
  memory::trim();
  const int64_t live = memory::live_bytes();
  REQUIRE(memory::pooled_bytes() == 0);
  struct Block {
    size_t bytes;
    unsigned char* data;
  };
  std::vector<Block> blocks;
  for (size_t bytes : {1, 255, 5'000, 100'000, 2'000'000, 2'100'000, 9'000'000}) {
    for (int i = 0; i < 6; ++i) {
      blocks.push_back({bytes, static_cast<unsigned char*>(memory::allocate(bytes))});
      CHECK(reinterpret_cast<uintptr_t>(blocks.back().data) % memory::kAlignment == 0);
      std::memset(blocks.back().data, static_cast<int>(blocks.size()), bytes);
    }
  }
  for (size_t i = 0; i < blocks.size(); i += 2) memory::release(blocks[i].data, blocks[i].bytes);
  CHECK(memory::pooled_bytes() > 3 * 11'000'000);
  memory::trim();
  CHECK(memory::pooled_bytes() == 0);
  for (size_t i = 1; i < blocks.size(); i += 2) {
    const unsigned char wanted = static_cast<unsigned char>(i + 1);
    CHECK(std::all_of(blocks[i].data, blocks[i].data + blocks[i].bytes, [&](unsigned char b) { return b == wanted; }));
    memory::release(blocks[i].data, blocks[i].bytes);
  }
  memory::trim();
  CHECK(memory::pooled_bytes() == 0);
  CHECK(memory::live_bytes() == live);
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
