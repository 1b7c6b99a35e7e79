// SPDX-License-Identifier: Apache-2.0
// The wall between C++ and the C ABI: no exception passes it.
#pragma once

#include <cstdio>
#include <cstring>
#include <new>
#include <string>

#include "libtorch/error.h"

namespace motley::api {

inline motley_status report(motley_error* error, motley_status status, const char* message) noexcept {
  if (error != nullptr) {
    error->status = status;
    error->reserved = 0;
    std::snprintf(error->message, sizeof error->message, "%s", message);
    for (char* c = error->message; *c; ++c) {
      if (*c == '\n' || *c == '\r') *c = ' ';
    }
  }
  return status;
}

inline void check_pointer(const char* name, const void* pointer) { require(pointer != nullptr, name, " is NULL"); }

/// Text for a caller's buffer, NUL-terminated.
inline void write_text(const std::string& text, char* buffer, int64_t capacity) {
  check_pointer("buffer", buffer);
  require(capacity > static_cast<int64_t>(text.size()), "the buffer holds ", capacity, " bytes, ", text.size() + 1, " are needed");
  std::memcpy(buffer, text.c_str(), text.size() + 1);
}

template <typename Body>
motley_status guarded(motley_error* error, const Body& body) noexcept {
  try {
    body();
    return MOTLEY_OK;
  } catch (const Error& e) {
    return report(error, e.status(), e.what());
  } catch (const std::bad_alloc&) {
    return report(error, MOTLEY_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& e) {
    return report(error, MOTLEY_INTERNAL, e.what());
  } catch (...) {
    return report(error, MOTLEY_INTERNAL, "unknown native error");
  }
}

/// Params and config structs state the size they were compiled with.
template <typename Struct>
const Struct& checked(const Struct* params, const char* name) {
  check_pointer(name, params);
  require(params->struct_size == static_cast<int64_t>(sizeof(Struct)), name, ".struct_size is ", params->struct_size,
          ", this library expects ", sizeof(Struct), ": header and library are of different versions");
  return *params;
}

}  // namespace motley::api
