// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "models/classifier.h"
#include "trainer/images.h"

struct motley_images {
  motley::Images images;
};

struct motley_classifier {
  std::unique_ptr<motley::Classifier> model;
  uint64_t seed = 0;  // of what is random in a pass without training
};

namespace motley::api {

constexpr int64_t kMaxImageSize = 1 << 14;

/// The normalisation's numbers are finite and std is not 0.
void check_normalisation(const motley_normalisation& normalisation);

/// Network inputs (n, 3, S, S) -> (n, S, S, 3); n in [1, 2^20].
Tensor inputs_of(const Classifier& classifier, int64_t n, const float* inputs);

}  // namespace motley::api
