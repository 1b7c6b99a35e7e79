// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluate.h"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <vector>

#include "kernels/cpu/augment.h"
#include "libtorch/parallel.h"
#include "libtorch/tasks.h"

namespace motley {
namespace {

// Where the batches of all threads have at most so many pixels together, each thread takes batches of its own: they then do not
// wait for each other at the end of every loop. Of larger ones, memory holds the activations of one.
constexpr int64_t kPixels = 1 << 22;
constexpr int64_t kAtOnce = 128;  // images, where the batch does not matter: enough to fill the kernels' tiles

// Which image of [0, n) is the i-th that is seen. Where the batch matters they are mixed: of a set that is stored class by class, a batch of
// neighbours would have the statistics of one class.
std::vector<int32_t> seen_order(int64_t n, bool mixed) {
  if (mixed) return epoch_order(0, 0, n);
  std::vector<int32_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  return order;
}

}  // namespace

void evaluate(Classifier& classifier, const Images& images, int64_t resize, int64_t first, int64_t n, int64_t batch, const Pass& pass,
              const float mean[3], const float std[3], float* logits, const std::function<bool(int64_t, int64_t)>& progress) {
  const int64_t size = classifier.config().image_size, classes = classifier.config().classes;
  std::vector<float> table(256 * 3);
  kernels::normalisation_table(mean, std, table.data());
  const kernels::View view = kernels::test_view(images.height, images.width, resize, size);
  const bool alone = pass.statistics == ops::Statistics::running && !pass.stochastic;
  batch = std::min(alone ? std::min(batch, kAtOnce) : batch, n);
  int64_t batches = (n + batch - 1) / batch;
  // A last image by itself may have no statistics of its own: it joins the batch before it.
  if (!alone && n > batch && n % batch < classifier.least_batch() && n % batch > 0) --batches;
  const std::vector<int32_t> order = seen_order(n, !alone);
  std::atomic<int64_t> done = 0;  // images
  const auto forward = [&](int64_t index) {
    const int64_t from = index * batch, count = index + 1 < batches ? batch : n - from;
    const Tensor inputs = Tensor::empty({count, size, size, 3});
    parallel_for(count, 8, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        kernels::augment_image(images.at(first + order[static_cast<size_t>(from + i)]), images.height, images.width, view, mean, std,
                               table.data(), inputs.data<float>() + i * size * size * 3);
      }
    });
    Pass own = pass;
    if (own.stochastic) own.stochastic->step += static_cast<uint64_t>(index);
    const Tensor y = classifier.forward(inputs, own);
    for (int64_t i = 0; i < count; ++i) {
      std::copy_n(y.data<float>() + i * classes, classes, logits + order[static_cast<size_t>(from + i)] * classes);
    }
    done += count;
  };
  int64_t reported = 0;
  const auto report = [&] {
    const int64_t now = done;
    if (now == reported) return;
    reported = now;
    if (progress && progress(now, n) && now < n) {
      throw Error(MOTLEY_CANCELLED, concat("evaluation was cancelled after ", now, " of ", n, " images"));
    }
  };

  // The first batch and what is left over are all threads' work; the first makes what is derived from the weights.
  const int64_t threads = parallel_threads();
  const int64_t own = threads * batch * size * size <= kPixels ? (batches - 1) / threads * threads : 0;
  const auto together = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      forward(i);
      report();
    }
  };
  together(0, 1);
  for_each_in_turn(
      own, [&](int64_t i) { forward(1 + i); }, report, [] {});
  together(1 + own, batches);
}

}  // namespace motley
