// SPDX-License-Identifier: Apache-2.0
// The one exception type of the native core. The C ABI turns it into a status and a line of text.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

#include "motley.h"

namespace motley {

class Error : public std::runtime_error {
 public:
  Error(motley_status status, const std::string& message) : std::runtime_error(message), status_(status) {}
  motley_status status() const { return status_; }

 private:
  motley_status status_;
};

/// Joins its arguments as an ostream would print them.
template <typename... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

/// The caller's input is wrong: say what was expected.
template <typename... Parts>
void require(bool condition, const Parts&... message) {
  if (!condition) throw Error(MOTLEY_INVALID_ARGUMENT, concat(message...));
}

/// Something of ours does not hold: a bug, or a library that misbehaves.
template <typename... Parts>
void ensure(bool condition, const Parts&... message) {
  if (!condition) throw Error(MOTLEY_INTERNAL, concat(message...));
}

}  // namespace motley
