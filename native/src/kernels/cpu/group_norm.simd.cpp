// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/group_norm.h"

#include "kernels/cpu/vec.h"

namespace motley::kernels::MOTLEY_ISA {
namespace {

constexpr int64_t kBlock = 32;  // pixels summed in float32 before they join the float64 sums

// kVecs vectors of channels: kVecs * 2 independent chains of additions
template <int kVecs, typename T>
void sums_of(const T* x, int64_t pixels, int64_t stride, const float* shift, double* sum, double* square) {
  Vec k[kVecs];
  DVec total[kVecs] = {}, total2[kVecs] = {};
  for (int v = 0; v < kVecs; ++v) k[v] = load(shift + v * kLanes);
  for (int64_t begin = 0; begin < pixels; begin += kBlock) {
    const int64_t end = begin + kBlock < pixels ? begin + kBlock : pixels;
    Vec s[kVecs] = {}, q[kVecs] = {};
    for (int64_t p = begin; p < end; ++p) {
      for (int v = 0; v < kVecs; ++v) {
        const Vec d = load(x + p * stride + v * kLanes) - k[v];
        s[v] += d;
        q[v] += d * d;
      }
    }
    for (int v = 0; v < kVecs; ++v) {
      total[v] += __builtin_convertvector(s[v], DVec);
      total2[v] += __builtin_convertvector(q[v], DVec);
    }
  }
  for (int v = 0; v < kVecs; ++v) {
    for (int i = 0; i < kLanes; ++i) {
      sum[v * kLanes + i] = total[v][i];
      square[v * kLanes + i] = total2[v][i];
    }
  }
}

template <typename T>
void sums_tail(const T* x, int64_t pixels, int64_t channels, int64_t stride, const float* shift, double* sum, double* square) {
  for (int64_t c = 0; c < channels; ++c) {
    sum[c] = square[c] = 0;
    for (int64_t p = 0; p < pixels; ++p) {
      const double d = static_cast<double>(load_part(x + p * stride + c, 1)[0]) - shift[c];
      sum[c] += d;
      square[c] += d * d;
    }
  }
}

template <typename T>
void sums(const T* x, int64_t pixels, int64_t channels, int64_t stride, const float* shift, double* sum, double* square) {
  int64_t c = 0;
  for (; c + 4 * kLanes <= channels; c += 4 * kLanes) sums_of<4>(x + c, pixels, stride, shift + c, sum + c, square + c);
  for (; c + kLanes <= channels; c += kLanes) sums_of<1>(x + c, pixels, stride, shift + c, sum + c, square + c);
  sums_tail(x + c, pixels, channels - c, stride, shift + c, sum + c, square + c);
}

template <bool kSilu, typename T>
void apply_to(const T* x, T* y, int64_t pixels, int64_t channels, int64_t stride, int64_t y_stride, const float* scale,
              const float* offset) {
  const int64_t whole = channels / kLanes * kLanes, rest = channels - whole;
  for (int64_t p = 0; p < pixels; ++p, x += stride, y += y_stride) {
    for (int64_t c = 0; c < whole; c += kLanes) {
      const Vec v = load(x + c) * load(scale + c) + load(offset + c);
      store(y + c, kSilu ? silu(v) : v);
    }
    if (rest != 0) {
      const Vec v = load_part(x + whole, rest) * load_part(scale + whole, rest) + load_part(offset + whole, rest);
      store_part(y + whole, kSilu ? silu(v) : v, rest);
    }
  }
}

template <typename T>
void apply(const T* x, T* y, int64_t pixels, int64_t channels, int64_t stride, int64_t y_stride, const float* scale, const float* offset,
           bool with_silu) {
  if (with_silu) {
    apply_to<true>(x, y, pixels, channels, stride, y_stride, scale, offset);
  } else {
    apply_to<false>(x, y, pixels, channels, stride, y_stride, scale, offset);
  }
}

}  // namespace

const GroupNormKernels& group_norm_kernels() {
  static constexpr GroupNormKernels kernels = {{sums<float>, apply<float>}, {sums<bf16>, apply<bf16>}, {sums<half>, apply<half>}};
  return kernels;
}

}  // namespace motley::kernels::MOTLEY_ISA
