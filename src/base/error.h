// SPDX-License-Identifier: Apache-2.0
// The one exception of Narae. Thrown anywhere off the hot path; it gains context on its way up and is caught in few
// places (C ABI, main, later the Worker). A message must name the culprit and, where there is one, the remedy.
#pragma once

#include <fmt/core.h>

#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace narae {

// The values below `internal` are the exit codes of the narae command (docs/cli.md).
enum class ErrorCode : int {
  failed = 1,        // could not be done for another reason (I/O, missing helper, cancelled)
  usage = 2,         // the caller asked for something that does not exist
  bad_file = 3,      // a file is damaged, of the wrong kind, or uses what Narae does not know
  does_not_fit = 4,  // shape outside the profile, memory limit, context length
  differs = 5,       // compare found a difference above the tolerance
  internal = 6,      // NARAE_CHECK: our own bug
};

const char* error_code_name(ErrorCode code);

class Error : public std::exception {
 public:
  Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) { render(); }

  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }
  // Outermost first, such as {"onnx \"bert.onnx\"", "node \"/enc/0/MatMul\""}.
  const std::vector<std::string>& context() const { return context_; }
  // Puts a further outer frame before the others; used in catch blocks that rethrow.
  Error& add_context(std::string frame);
  // `frame > frame > message`
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  void render();
  ErrorCode code_;
  std::string message_;
  std::vector<std::string> context_;
  std::string what_;
};

template <typename... Args>
[[noreturn]] void fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(code, fmt::format(format, std::forward<Args>(args)...));
}

// Runs `body`; an Error that leaves it gains the frame that `frame()` makes (only then computed).
template <typename Frame, typename Body>
decltype(auto) with_context(Frame&& frame, Body&& body) {
  try {
    return body();
  } catch (Error& error) {
    error.add_context(frame());
    throw;
  }
}

[[noreturn]] void check_failed(const char* expression, const char* file, int line);

}  // namespace narae

// Our own invariants: a failure is a bug of Narae, never of the input.
#define NARAE_CHECK(expression) ((expression) ? (void)0 : ::narae::check_failed(#expression, __FILE__, __LINE__))
