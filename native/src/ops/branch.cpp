// SPDX-License-Identifier: Apache-2.0
#include "ops/branch.h"

#include <algorithm>
#include <cstring>

#include "kernels/cpu/branch.h"
#include "libtorch/convert.h"
#include "libtorch/parallel.h"
#include "ops/graph.h"
#include "ops/tape.h"
#include "ops/work.h"

namespace motley::ops {
namespace {

constexpr int64_t kGrain = 1 << 14;  // elements worth a thread's start

int64_t image_size(const Tensor& x) { return x.numel() / x.size(0); }
int64_t count(const Kept& kept, int64_t n) { return kept.all() ? n : static_cast<int64_t>(kept.images->size()); }
int64_t image(const Kept& kept, int64_t i) { return kept.all() ? i : (*kept.images)[static_cast<size_t>(i)]; }

// Runs body(i, image) for all kept images, in parallel.
template <typename Body>
void for_each_kept(const Kept& kept, int64_t n, int64_t size, const Body& body) {
  parallel_for(count(kept, n), std::max<int64_t>(1, kGrain / size), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) body(i, image(kept, i));
  });
}

// into the images of dx, which holds other contributions
void add_images(const Tensor& d, const Kept& kept, const Tensor& dx) {
  const Timed timed("take backward", [&] { return passing_work(d, {&d, &d, &d}); });
  const int64_t size = image_size(dx);
  with_element(dx.dtype(), [&]<typename T>() {
    for_each_kept(kept, dx.size(0), size, [&](int64_t i, int64_t at) {
      T* to = dx.data<T>() + at * size;
      const T* from = d.data<T>() + i * size;
      for (int64_t k = 0; k < size; ++k) to[k] = from_float<T>(to_float(to[k]) + to_float(from[k]));
    });
  });
}

// sums (images, channels) -> out (channels), the images in order
void sum_images(const std::vector<double>& sums, int64_t images, float* out, int64_t channels) {
  for (int64_t c = 0; c < channels; ++c) {
    double sum = 0;
    for (int64_t i = 0; i < images; ++i) sum += sums[static_cast<size_t>(i * channels + c)];
    out[c] = static_cast<float>(sum);
  }
}

// The gradient of the branch over its values, that of the scale into dscale (C).
void backward(const Tensor& dy, const Tensor& branch, const Tensor& scale, const Kept& kept, const Tensor& dscale) {
  const Timed timed("add_branch backward", [&] { return passing_work(branch, {&branch, &branch, &branch}); });
  const int64_t n = dy.size(0), size = image_size(dy), channels = dy.size(-1), images = count(kept, n);
  std::vector<double> sums(static_cast<size_t>(images * channels));
  with_element(dy.dtype(), [&]<typename T>() {
    const auto run = kernels::branch_functions<T>().backward;
    for_each_kept(kept, n, size, [&](int64_t i, int64_t at) {
      T* values = branch.data<T>() + i * size;
      run(dy.data<T>() + at * size, values, size / channels, channels, scale.data<float>(), kept.factor, values,
          sums.data() + i * channels);
    });
  });
  sum_images(sums, images, dscale.data<float>(), channels);
}

}  // namespace

Kept Kept::draw(int64_t n, double p, const std::optional<Randomness>& random, uint32_t layer) {
  const Tensor factors = image_factors(n, p, random, layer);
  if (!factors) return {};
  std::vector<int64_t> images;
  for (int64_t i = 0; i < n; ++i) {
    if (factors.data<float>()[i] != 0) images.push_back(i);
  }
  return {std::make_shared<const std::vector<int64_t>>(std::move(images)), static_cast<float>(1 / (1 - p))};
}

Tensor take(const Tensor& x, const Kept& kept) {
  if (kept.all()) return x;
  Shape shape = x.shape();
  shape[0] = count(kept, x.size(0));
  const Tensor y = Tensor::empty(shape, x.dtype());
  const Timed timed("take", [&] { return passing_work(y, {&y, &y}); });
  const int64_t size = image_size(x), bytes = size * size_of(x.dtype());
  for_each_kept(kept, x.size(0), size, [&](int64_t i, int64_t at) {
    std::memcpy(static_cast<char*>(y.raw()) + i * bytes, static_cast<const char*>(x.raw()) + at * bytes, static_cast<size_t>(bytes));
  });
  if (Tape* tape = Tape::current()) {
    tape->record(y, {x}, [=](Tape& t, const Tensor& dy) {
      const Tensor sum = t.so_far(x), dx = sum ? sum : Tensor::zeros(x.shape(), x.dtype());
      add_images(dy, kept, dx);
      if (!sum) t.add(x, dx);
    });
  }
  return y;
}

Tensor add_branch(const Tensor& x, Tensor&& branch, const Tensor& scale, const Kept& kept) {
  const int64_t n = x.size(0), channels = x.size(-1), size = image_size(x);
  ensure(scale.numel() == channels && branch.numel() == count(kept, n) * size && branch.dtype() == x.dtype(), "add_branch of ",
         shown(x.shape()), " and ", shown(branch.shape()));
  Tape* tape = Tape::current();
  const bool in_place = tape == nullptr && kept.all();
  const Tensor y = in_place ? branch : kept.all() ? Tensor::empty(x.shape(), x.dtype()) : x.clone();
  const Timed timed("add_branch", [&] { return passing_work(y, {&x, &branch, &y}); });
  with_element(x.dtype(), [&]<typename T>() {
    const auto run = kernels::branch_functions<T>().add;
    for_each_kept(kept, n, size, [&](int64_t i, int64_t at) {
      run(x.data<T>() + at * size, branch.data<T>() + i * size, size / channels, channels, scale.data<float>(), kept.factor,
          y.data<T>() + at * size);
    });
  });
  if (Graph* graph = Graph::current()) graph->add("add_branch", {x, branch, scale}, y);
  if (tape != nullptr) {
    tape->record(y, {x, branch, scale}, [=](Tape& t, const Tensor& dy) {
      const Tensor there = t.destination(scale), dscale = there ? there : Tensor::empty(scale.shape());
      backward(dy, branch, scale, kept, dscale);
      t.add(scale, dscale);
      t.add(branch, branch);
      t.add(x, dy);
    });
  }
  return y;
}

}  // namespace motley::ops
