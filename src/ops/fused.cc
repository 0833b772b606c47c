// SPDX-License-Identifier: Apache-2.0
#include "ops/fused.h"

#include <algorithm>

#include "ops/define.h"
#include "ops/interpret.h"
#include "ops/ops.h"

namespace narae {
namespace {

void infer(InferContext& c) {
  const auto& bodies = c.node().bodies();
  if (bodies.size() != 1) fail(ErrorCode::bad_file, "a fused node has one body");
  const Graph& body = *bodies[0];
  if (body.inputs().size() != c.input_count() || body.outputs().size() != c.node().outputs().size()) {
    fail(ErrorCode::bad_file, "the body's inputs and outputs are not those of the node");
  }
  for (size_t i = 0; i < body.inputs().size(); ++i) {
    if (body.inputs()[i]->dtype() != c.dtype(i) || body.inputs()[i]->shape() != c.shape(i)) {
      fail(ErrorCode::bad_file, "operand {} is {}{}, the body expects {}{}", i, dtype_name(c.dtype(i)),
           shape_text(c.shape(i)), dtype_name(body.inputs()[i]->dtype()), shape_text(body.inputs()[i]->shape()));
    }
  }
  for (size_t i = 0; i < body.outputs().size(); ++i) {
    c.set_output(i, body.outputs()[i]->dtype(), body.outputs()[i]->shape());
  }
}

void reference(ReferenceContext& c) {
  const Graph& body = *c.node.bodies()[0];
  const std::vector<Tensor> results =
      interpret_body(body, std::vector<Tensor>(c.inputs.begin(), c.inputs.end()), c.evaluate);
  for (size_t i = 0; i < results.size(); ++i) {
    if (results[i].bytes()) std::memcpy(c.outputs[i].data, results[i].data, results[i].bytes());
  }
}

}  // namespace

Value* outside(const Node& node, Value* inner) {
  if (!node.is("fused")) return inner;
  const auto& inputs = node.bodies()[0]->inputs();
  const auto at = std::find(inputs.begin(), inputs.end(), inner);
  return at == inputs.end() ? nullptr : node.input(static_cast<size_t>(at - inputs.begin()));
}

Value* outside_casts(const Node& node, Value* inner) {
  const Node* made = node.is("fused") ? inner->producer() : nullptr;
  return outside(node, made && made->is("cast") ? made->input(0) : inner);
}

const Node* within_casts(const Node* node, std::string_view op) {
  if (!node || !node->is("fused")) return node && node->is(op) ? node : nullptr;
  const Node* found = nullptr;
  for (const Node* inner = node->bodies()[0]->first(); inner; inner = inner->next()) {
    if (inner->is("cast")) continue;
    if (found || !inner->is(op)) return nullptr;
    found = inner;
  }
  return found;
}

const OpDef* fused_op() {
  static const OpDef def = define_op<FusedAttributes>("fused", 0, -1, op_has_body, infer, reference);
  return &def;
}

}  // namespace narae
