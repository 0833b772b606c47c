// SPDX-License-Identifier: Apache-2.0
// Computing nodes while compiling: only small results of small constants, and never what a symbol or chance decides.
#pragma once

#include "passes/rewrite.h"

namespace narae {

// The results of `node` as constants; empty when it may not be folded.
std::vector<Value*> folded(Graph& graph, const Node& node, const PassContext& context);

// A Builder for arithmetic on constants: what is small is computed at once, the rest becomes nodes of the constant
// part.
class ConstantBuilder {
 public:
  ConstantBuilder(Rewriter& rewriter, Node* before) : rewriter_(rewriter), builder_(rewriter.before(before)) {}
  Value* op(std::string_view name, std::vector<Value*> inputs) { return op(name, std::move(inputs), NoAttributes{}); }
  template <typename T>
  Value* op(std::string_view name, std::vector<Value*> inputs, T attributes) {
    return settle(builder_.node(name, std::move(inputs), std::move(attributes)));
  }
  Value* reshape(Value* value, const Shape& shape);
  Value* expand(Value* value, const Shape& shape);
  Value* scalar(double value) { return builder_.scalar(value); }

 private:
  Value* settle(Node* node);
  Rewriter& rewriter_;
  Builder builder_;
};

}  // namespace narae
