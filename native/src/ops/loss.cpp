// SPDX-License-Identifier: Apache-2.0
#include "ops/loss.h"

#include "libtorch/parallel.h"
#include "ops/work.h"

namespace motley::ops {

Loss cross_entropy(const Tensor& logits, const kernels::Targets& targets, double smoothing) {
  const Timed timed("cross_entropy", [&] { return passing_work(logits, {&logits, &logits}); });
  const int64_t n = logits.size(0), classes = logits.size(1);
  for (const int32_t* labels : {targets.labels, targets.others}) {
    for (int64_t i = 0; labels != nullptr && i < n; ++i) {
      require(labels[i] >= 0 && labels[i] < classes, "label ", labels[i], " at ", i, " is outside [0, ", classes, ")");
    }
  }
  Loss loss{0, 0, Tensor::empty(logits.shape())};
  std::vector<double> losses(static_cast<size_t>(n));
  std::vector<uint8_t> right(static_cast<size_t>(n));
  const auto run = kernels::cross_entropy_kernels().cross_entropy;
  parallel_for(n, 64, [&](int64_t begin, int64_t end) {
    run(logits.data<float>() + begin * classes, targets.from(begin), end - begin, classes, static_cast<float>(smoothing),
        1.0f / static_cast<float>(n), losses.data() + begin, loss.gradient.data<float>() + begin * classes, right.data() + begin);
  });
  for (double l : losses) loss.sum += l;
  for (uint8_t r : right) loss.correct += r;
  return loss;
}

}  // namespace motley::ops
