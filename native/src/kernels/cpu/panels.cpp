// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/panels.h"

#include <algorithm>
#include <cstring>

#include "kernels/cpu/product.h"
#include "libtorch/parallel.h"
#include "libtorch/unaligned.h"

namespace motley::kernels {
namespace {

constexpr int64_t kElements = 1 << 14;  // of a part that is worth a thread

}  // namespace

Panels::Panels(Type type, int64_t depth, int64_t columns)
    : type_(type), depth_(depth), columns_(columns), width_(gemm_kernels().panel), data_(up(bytes(), sizeof(float))) {
  // zeros beyond the matrix
  if (columns % width() != 0 || depth != rows()) std::memset(data_.data(), 0, static_cast<size_t>(bytes()));
}

int64_t Panels::rows() const { return type_ == Type::bf16 ? up(depth_, kPairDepth) * kPairDepth : depth_; }

int64_t Panels::bytes() const {
  return up(columns_, width()) * width() * rows() * static_cast<int64_t>(type_ == Type::f32 ? sizeof(float) : sizeof(uint16_t));
}

template <typename T>
void Panels::fill(int64_t first, const Elements<T>& from) {
  constexpr int64_t kTogether = 32;  // channels: what is read of a column and written of the panel stays in the first-level cache
  const int64_t wide = width(), begin_panel = first / wide, end_panel = up(first + from.columns, wide);
  // visits the elements of a panel: put(k, column within the panel, value)
  const auto visit = [&](int64_t p, const auto& put) {
    const int64_t low = std::max(first, p * wide), high = std::min(first + from.columns, (p + 1) * wide);
    for (int64_t c = 0; c < from.channels; c += kTogether) {
      const int64_t count = std::min(kTogether, from.channels - c);
      for (int64_t n = low; n < high; ++n) {
        const T* column = from.data + (n - first) * from.column_stride + c * from.channel_stride;
        for (int64_t t = 0; t < from.taps; ++t) {
          const T* element = column + t * from.tap_stride;
          for (int64_t i = 0; i < count; ++i)
            put(t * from.channels + c + i, n - p * wide, to_float(unaligned(element + i * from.channel_stride)));
        }
      }
    }
  };
  parallel_for(end_panel - begin_panel, 1 + kElements / (wide * depth_), [&](int64_t begin, int64_t end) {
    for (int64_t p = begin_panel + begin; p < begin_panel + end; ++p) {
      if (type_ == Type::bf16) {
        bf16* to = panel<bf16>(p);
        visit(p, [&](int64_t k, int64_t j, float value) { to[(k >> 1) * 2 * wide + 2 * j + (k & 1)] = from_float<bf16>(value); });
      } else if (type_ == Type::f16) {
        half* to = panel<half>(p);
        visit(p, [&](int64_t k, int64_t j, float value) { to[k * wide + j] = from_float<half>(value); });
      } else {
        float* to = panel<float>(p);
        visit(p, [&](int64_t k, int64_t j, float value) { to[k * wide + j] = value; });
      }
    }
  });
}

template void Panels::fill(int64_t, const Elements<float>&);
template void Panels::fill(int64_t, const Elements<double>&);
template void Panels::fill(int64_t, const Elements<bf16>&);
template void Panels::fill(int64_t, const Elements<half>&);

const float* Panels::ready() const { return type_ == Type::f32 && width_ == gemm_kernels().panel ? data_.data() : nullptr; }

int64_t Panels::block_floats(int64_t depth) { return (depth + 2) * gemm_kernels().panel; }

const float* Panels::block(int64_t p, int64_t begin, int64_t end, float* scratch) const {
  const GemmKernels& kernels = gemm_kernels();
  const int64_t wide = kernels.panel;
  if (const float* all = ready()) return all + p * depth_ * wide;
  const int64_t origin = type_ == Type::bf16 ? begin / 2 * 2 : begin;  // pairs come whole
  for (int64_t column = p * wide; column < std::min((p + 1) * wide, columns_);) {
    const int64_t from = column % width(), count = std::min(width() - from, (p + 1) * wide - column);
    float* to = scratch + column - p * wide;
    if (type_ == Type::bf16) {
      kernels.widen_pairs(pairs(column / width()) + origin * kPairColumns + 2 * from, up(end - origin, 2), static_cast<int>(count), to);
    } else if (type_ == Type::f16) {
      kernels.widen_halves(panel<half>(column / width()) + begin * kPairColumns + from, end - begin, static_cast<int>(count), to);
    } else {  // made for another instruction set
      const float* source = panel<float>(column / width()) + begin * width() + from;
      for (int64_t k = begin; k < end; ++k, source += width(), to += wide) std::copy_n(source, count, to);
    }
    column += count;
  }
  // Columns beyond the matrix are stored as zeros in whole panels; a panel that is not stored at all (another width) has none.
  for (int64_t column = std::max(p * wide, up(columns_, width()) * width()); column < (p + 1) * wide; ++column) {
    for (int64_t k = 0; k < up(end - origin, 2) * 2; ++k) scratch[k * wide + column - p * wide] = 0;
  }
  return scratch - origin * wide;
}

}  // namespace motley::kernels
