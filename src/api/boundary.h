// SPDX-License-Identifier: Apache-2.0
// The border between C and C++: no exception crosses it. Whatever can throw runs inside guarded().
#pragma once

#include <algorithm>
#include <cstring>
#include <exception>

#include "base/error.h"
#include "narae/narae.h"

struct narae_error {
  narae_status status;
  narae::Error what;
};

namespace narae::api {

// Status of the exception in flight; fills *error where the caller wants one.
narae_status caught(narae_error** error) noexcept;

// Thrown to end a call with a status that ErrorCode does not know.
struct Cancelled {
  Error what;
};

template <typename Body>
narae_status guarded(narae_error** error, Body&& body) noexcept {
  try {
    body();
    return NARAE_OK;
  } catch (...) {
    return caught(error);
  }
}

// What the caller must hand over; throws Error usage naming it.
template <typename T>
T& wanted(T* pointer, const char* what) {
  if (!pointer) fail(ErrorCode::usage, "{} is NULL", what);
  return *pointer;
}

// A struct of a caller compiled with an older or newer header: the fields both know, the defaults elsewhere.
template <typename T>
T known_fields(const T* given, const T& defaults) {
  T fields = defaults;
  if (!given) return fields;
  if (given->struct_size < sizeof(size_t)) fail(ErrorCode::usage, "struct_size is not set: use the *_INIT macro");
  std::memcpy(static_cast<void*>(&fields), given, std::min(given->struct_size, sizeof(T)));
  return fields;
}

// The other way: as much of `fields` as the caller's struct has room for.
template <typename T>
void give(T* to, T fields) {
  if (wanted(to, "the struct to fill").struct_size < sizeof(size_t))
    fail(ErrorCode::usage, "struct_size is not set: use the *_INIT macro");
  fields.struct_size = to->struct_size;
  std::memcpy(static_cast<void*>(to), &fields, std::min(to->struct_size, sizeof(T)));
}

}  // namespace narae::api
