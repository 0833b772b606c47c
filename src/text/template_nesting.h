// SPDX-License-Identifier: Apache-2.0
// What the interpreter enters and leaves: a level of recursion, a scope.
#pragma once

#include "base/error.h"
#include "text/template_interpreter.h"

namespace narae {

class TemplateInterpreter::Deeper {
 public:
  explicit Deeper(TemplateInterpreter& in) : in_(in) {
    if (in_.depth_ >= kMaxDepth) fail(ErrorCode::does_not_fit, "the chat template calls itself too deeply");
    ++in_.depth_;
  }
  ~Deeper() { --in_.depth_; }
  Deeper(const Deeper&) = delete;
  Deeper& operator=(const Deeper&) = delete;

 private:
  static constexpr int kMaxDepth = 800;
  TemplateInterpreter& in_;
};

class TemplateInterpreter::NewScope {
 public:
  explicit NewScope(TemplateInterpreter& in);
  ~NewScope();
  NewScope(const NewScope&) = delete;
  NewScope& operator=(const NewScope&) = delete;

 private:
  TemplateInterpreter& in_;
  std::unique_ptr<TemplateScope> scope_;
};

}  // namespace narae
