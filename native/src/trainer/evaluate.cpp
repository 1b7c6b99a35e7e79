// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluate.h"

#include <algorithm>
#include <cstring>

#include "kernels/cpu/augment.h"
#include "libtorch/parallel.h"

namespace motley {

bool evaluate(Classifier& classifier, const Images& images, int64_t first, int64_t n, int64_t batch,
              ops::Statistics statistics, const float mean[3], const float std[3], float* logits,
              const std::function<bool(int64_t, int64_t)>& progress) {
  const int64_t size = classifier.config().image_size, classes = classifier.config().classes;
  std::vector<float> table(256 * 3);
  kernels::normalisation_table(mean, std, table.data());
  const kernels::Crop whole{0, 0, images.height, images.width, false};
  for (int64_t done = 0; done < n; done += batch) {
    const int64_t count = std::min(batch, n - done);
    const Tensor inputs = Tensor::empty({count, size, size, 3});
    parallel_for(count, 8, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        kernels::augment_image(images.at(first + done + i), images.width, whole, size, size, mean, std, table.data(),
                               inputs.data<float>() + i * size * size * 3);
      }
    });
    const Tensor y = classifier.forward(inputs, statistics);
    std::memcpy(logits + done * classes, y.data<float>(), static_cast<size_t>(y.bytes()));
    if (progress && progress(done + count, n)) return false;
  }
  return true;
}

}  // namespace motley
