// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/peak.h"

#include <time.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>
#include <vector>

#include "kernels/cpu/pairs.h"
#include "kernels/cpu/scratch.h"
#include "libtorch/parallel.h"

namespace motley::kernels {

MOTLEY_CHOOSE(peak, PeakKernels)

namespace {

constexpr int kTrials = 20;
constexpr int64_t kRounds = 40'000;            // about a millisecond
constexpr int64_t kCopied = int64_t{1} << 27;  // bytes: more than a last-level cache holds

double seconds(clockid_t clock) {
  timespec t = {};
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// Twelve sums of 16 floats, each with 16 pairs: 64 operations an instruction. (In assembly, which needs no compiler's flag;
// what the registers hold does not matter.)
double avx512_bf16_multiply_adds() {
  for (int64_t i = 0; i < kRounds; ++i) {
    asm volatile(
        "vdpbf16ps %%zmm0,%%zmm0,%%zmm4\n vdpbf16ps %%zmm0,%%zmm0,%%zmm5\n vdpbf16ps %%zmm0,%%zmm0,%%zmm6\n"
        "vdpbf16ps %%zmm0,%%zmm0,%%zmm7\n vdpbf16ps %%zmm0,%%zmm0,%%zmm8\n vdpbf16ps %%zmm0,%%zmm0,%%zmm9\n"
        "vdpbf16ps %%zmm0,%%zmm0,%%zmm10\n vdpbf16ps %%zmm0,%%zmm0,%%zmm11\n vdpbf16ps %%zmm0,%%zmm0,%%zmm12\n"
        "vdpbf16ps %%zmm0,%%zmm0,%%zmm13\n vdpbf16ps %%zmm0,%%zmm0,%%zmm14\n vdpbf16ps %%zmm0,%%zmm0,%%zmm15\n" ::
            : "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
  }
  return 64.0 * 12 * kRounds;
}

// Four tiles of 16x16 sums, each with 32 products a sum: 16384 operations an instruction. The unit's begin() gives all tiles
// their full size.
double amx_multiply_adds() {
  constexpr int64_t kSteps = kRounds / 4;
  const PairUnit& unit = *pair_unit();
  unit.begin();
  asm volatile("tilezero %tmm4\n tilezero %tmm5\n tilezero %tmm6\n tilezero %tmm7\n");
  for (int64_t i = 0; i < kSteps; ++i) {
    asm volatile("tdpbf16ps %tmm6,%tmm4,%tmm0\n tdpbf16ps %tmm7,%tmm4,%tmm1\n tdpbf16ps %tmm6,%tmm5,%tmm2\n tdpbf16ps %tmm7,%tmm5,%tmm3\n");
  }
  unit.end();
  return 16384.0 * 4 * kSteps;
}

}  // namespace

double multiply_adds(bool pairs) {
  if (pairs && pair_unit() != nullptr) {
    if (isa() == Isa::amx) return amx_multiply_adds();
    if (isa() == Isa::avx512_bf16) return avx512_bf16_multiply_adds();
  }
  return peak_kernels().multiply_adds(kRounds);
}

// Each thread by its own CPU time: what other programs take of it does not count.
double multiply_add_peak(bool pairs) {
  constexpr int kTimes = 10;
  std::vector<double> rates(static_cast<size_t>(parallel_threads()));
  for (int trial = 0; trial < kTrials; ++trial) {
    parallel_for(static_cast<int64_t>(rates.size()), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const double start = seconds(CLOCK_THREAD_CPUTIME_ID);
        double flops = 0;
        for (int time = 0; time < kTimes; ++time) flops += multiply_adds(pairs);
        double& best = rates[static_cast<size_t>(i)];
        best = std::max(best, flops / (seconds(CLOCK_THREAD_CPUTIME_ID) - start));
      }
    });
  }
  return std::accumulate(rates.begin(), rates.end(), 0.0);
}

double copy_peak() {
  const Scratch from(kCopied / 4), to(kCopied / 4);
  constexpr int64_t kBlock = 1 << 20;
  std::memset(from.data(), 1, kCopied);
  double best = std::numeric_limits<double>::infinity();
  for (int trial = 0; trial < kTrials; ++trial) {
    const double start = seconds(CLOCK_MONOTONIC);
    parallel_for(kCopied / kBlock, 1, [&](int64_t begin, int64_t end) {
      std::memcpy(reinterpret_cast<char*>(to.data()) + begin * kBlock, reinterpret_cast<const char*>(from.data()) + begin * kBlock,
                  static_cast<size_t>((end - begin) * kBlock));
    });
    best = std::min(best, seconds(CLOCK_MONOTONIC) - start);
  }
  return 2.0 * kCopied / best;
}

}  // namespace motley::kernels
