// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "models/classifier.h"
#include "trainer/images.h"

namespace motley {

/// Images [first, first + n) -> logits (n, classes), in batches, with running or batch statistics. resize: of the shorter side, of
/// which the centre is seen; 0: images have the classifier's size. Batch statistics are those of each batch, drawn from [first, first + n) in
/// an order that depends on n alone; a last single image may be a part of the batch before. pass.stochastic's step is that of the first batch. progress(images done, n), on the
/// calling thread: true cancels what is left, which throws CANCELLED.
void evaluate(Classifier& classifier, const Images& images, int64_t resize, int64_t first, int64_t n, int64_t batch, const Pass& pass,
              const float mean[3], const float std[3], float* logits, const std::function<bool(int64_t, int64_t)>& progress);

}  // namespace motley
