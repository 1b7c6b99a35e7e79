// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/peak.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "kernels/cpu/pairs.h"
#include "kernels/cpu/scratch.h"
#include "libtorch/parallel.h"

namespace motley::kernels {

MOTLEY_CHOOSE(peak, PeakKernels)

namespace {

constexpr int kTrials = 20;
constexpr int64_t kRounds = 40'000;           // about a millisecond
constexpr int64_t kCopied = int64_t{1} << 27;  // bytes: more than a last-level cache holds

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

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

template <typename Body>
double fastest(const Body& body) {
  double best = 1e30;
  for (int trial = 0; trial < kTrials; ++trial) {
    const double start = seconds();
    body();
    best = std::min(best, seconds() - start);
  }
  return best;
}

}  // namespace

double multiply_adds(bool pairs) {
  if (pairs && pair_unit() != nullptr) {
    if (isa() == Isa::amx) return amx_multiply_adds();
    if (isa() == Isa::avx512_bf16) return avx512_bf16_multiply_adds();
  }
  return peak_kernels().multiply_adds(kRounds);
}

double multiply_add_peak(bool pairs) {
  constexpr int64_t kTimes = 20;  // for a thread: what starts and ends them does not count then
  const int64_t threads = parallel_threads();
  const double flops = static_cast<double>(threads * kTimes) * multiply_adds(pairs);
  return flops / fastest([&] {
    parallel_for(threads, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin * kTimes; i < end * kTimes; ++i) multiply_adds(pairs);
    });
  });
}

double copy_peak() {
  const Scratch from(kCopied / 4), to(kCopied / 4);
  constexpr int64_t kBlock = 1 << 20;
  std::memset(from.data(), 1, kCopied);
  const double time = fastest([&] {
    parallel_for(kCopied / kBlock, 1, [&](int64_t begin, int64_t end) {
      std::memcpy(reinterpret_cast<char*>(to.data()) + begin * kBlock, reinterpret_cast<const char*>(from.data()) + begin * kBlock,
                  static_cast<size_t>((end - begin) * kBlock));
    });
  });
  return 2.0 * kCopied / time;
}

}  // namespace motley::kernels
