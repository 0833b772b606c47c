// SPDX-License-Identifier: Apache-2.0
// Text of errors.
#include "base/error.h"

#include <cstring>

namespace narae {

const char* error_code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::failed: return "failed";
    case ErrorCode::usage: return "usage";
    case ErrorCode::bad_file: return "bad_file";
    case ErrorCode::does_not_fit: return "does_not_fit";
    case ErrorCode::differs: return "differs";
    case ErrorCode::internal: return "internal";
  }
  return "unknown";
}

Error& Error::add_context(std::string frame) {
  context_.insert(context_.begin(), std::move(frame));
  render();
  return *this;
}

void Error::render() {
  what_.clear();
  for (const std::string& frame : context_) what_ += frame + " > ";
  what_ += message_;
}

void check_failed(const char* expression, const char* file, int line) {
  const char* slash = std::strrchr(file, '/');
  fail(ErrorCode::internal, "internal error, please report it: {} does not hold ({}:{})", expression,
       slash ? slash + 1 : file, line);
}

}  // namespace narae
