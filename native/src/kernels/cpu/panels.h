// SPDX-License-Identifier: Apache-2.0
// The right matrix of a product that does not change any more (a weight), held once, in the form that register kernels read:
//
//   f32   (panels, depth, width): panels as wide as those of the instruction set in use when it was made
//   bf16  (panels, pairs, 16, 2): two depth indices side by side, as bf16 units multiply them (pairs.h); without such units they
//         are widened to f32, a depth block at a time, in the first-level cache. The depth is filled up with zeros to a multiple
//         of 32
//   f16   (panels, depth, 16): halves, widened to f32 likewise
//
// The depth index of tap t and channel c is t * channels + c.
#pragma once

#include <cstdint>

#include "kernels/cpu/scratch.h"
#include "libtorch/bf16.h"

namespace motley::kernels {

/// Element (tap, channel, column) of a matrix elsewhere, at data + tap * tap_stride + channel * channel_stride + column * column_stride.
template <typename T>
struct Elements {
  const T* data;
  int64_t taps, channels, columns;
  int64_t tap_stride, channel_stride, column_stride;
};

class Panels {
 public:
  enum class Type { f32, bf16, f16 };
  static constexpr int kPairColumns = 16;  // of a panel of pairs, and of halves
  static constexpr int kPairDepth = 32;    // its depth is a multiple of this

  Panels() = default;
  Panels(Type type, int64_t depth, int64_t columns);

  /// Columns [first, first + from.columns); to be called for all of them before anything is read.
  template <typename T>
  void fill(int64_t first, const Elements<T>& from);

  Type type() const { return type_; }
  int64_t depth() const { return depth_; }
  int64_t columns() const { return columns_; }
  int64_t bytes() const;

  /// All panels where they lie as the instruction set in use reads them, else null.
  const float* ready() const;
  /// Depth indices [begin, end) of panel p as the instruction set in use reads it: index k at the result + k * width. Made in
  /// `scratch` (block_floats(end - begin)) where it does not lie ready.
  const float* block(int64_t p, int64_t begin, int64_t end, float* scratch) const;
  static int64_t block_floats(int64_t depth);
  /// Pairs of panel p of 16 columns: (pairs, 16, 2).
  const bf16* pairs(int64_t p) const { return panel<bf16>(p); }

 private:
  int64_t width() const { return type_ == Type::f32 ? width_ : kPairColumns; }
  int64_t rows() const;  // of a panel as stored
  template <typename T>
  T* panel(int64_t p) const {
    return reinterpret_cast<T*>(data_.data()) + p * rows() * width();
  }

  Type type_ = Type::f32;
  int64_t depth_ = 0, columns_ = 0;
  int width_ = 0;  // of the instruction set that it was made for
  Scratch data_;
};

}  // namespace motley::kernels
