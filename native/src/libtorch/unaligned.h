// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>

namespace motley {

/// *place, which may begin at any byte, as a checkpoint's tensors may.
template <typename T>
T unaligned(const T* place) {
  T value;
  std::memcpy(&value, place, sizeof value);
  return value;
}

}  // namespace motley
