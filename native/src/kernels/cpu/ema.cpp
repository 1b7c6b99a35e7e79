// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/ema.h"

#include <algorithm>

#include "libtorch/parallel.h"

namespace motley::kernels {

MOTLEY_CHOOSE(ema, EmaKernels)

void ema(const std::vector<EmaTensor>& tensors, double decay) {
  constexpr int64_t kPiece = 1 << 15;  // elements; both streams of a piece fill half of a 512 KiB second-level cache
  std::vector<EmaTensor> pieces;
  for (const EmaTensor& t : tensors) {
    for (int64_t i = 0; i < t.n; i += kPiece) pieces.push_back({t.average + i, t.weight + i, std::min(kPiece, t.n - i)});
  }
  const auto update = ema_kernels().update;
  const auto share = static_cast<float>(1 - decay);
  parallel_for(static_cast<int64_t>(pieces.size()), 4, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const EmaTensor& t = pieces[static_cast<size_t>(i)];
      update(t.average, t.weight, t.n, share);
    }
  });
}

namespace reference {

void ema(double* average, const double* weight, int64_t n, double decay) {
  for (int64_t i = 0; i < n; ++i) average[i] = decay * average[i] + (1 - decay) * weight[i];
}

}  // namespace reference
}  // namespace motley::kernels
