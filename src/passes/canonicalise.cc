// SPDX-License-Identifier: Apache-2.0
// One spelling for what has several, so later passes need to know only that one: x - c is x + (-c), x / c is x * (1 /
// c) (within 1.5 units in the last place, where 1 / c is a normal number), powers that are squares or roots are those.
#include <cmath>

#include "ops/cast.h"
#include "ops/gather.h"
#include "ops/reshape.h"
#include "ops/slice.h"
#include "passes/fold.h"
#include "passes/pass_list.h"

namespace narae::passes {
namespace {

bool small_constant(const Value* value, const PassContext& context) {
  return value->is_constant() && value->dtype() == DType::f32 && value->tensor().count() <= context.fold_limit;
}

bool has_normal_inverse(const Value* value) {
  const Tensor& tensor = value->tensor();
  for (int64_t i = 0; i < tensor.count(); ++i) {
    if (!std::isnormal(tensor.as<float>()[i]) || !std::isnormal(1.0f / tensor.as<float>()[i])) return false;
  }
  return true;
}

Value* power(Rewriter& rewriter, Node* node) {
  const WithScalar match = with_scalar(node);
  if (!match || match.constant_first) return nullptr;
  const char* op = match.scalar == 2      ? "square"
                   : match.scalar == 0.5  ? "sqrt"
                   : match.scalar == -0.5 ? "rsqrt"
                   : match.scalar == -1   ? "reciprocal"
                                          : nullptr;
  return op ? rewriter.before(node).op(op, {match.other}) : nullptr;
}

Value* quotient(Rewriter& rewriter, Node* node) {
  Value *a = node->input(0), *b = node->input(1);
  if (small_constant(b, rewriter.context()) && has_normal_inverse(b)) {
    Value* inverse = ConstantBuilder(rewriter, node).op("reciprocal", {b});
    return rewriter.before(node).op("mul", {a, inverse});
  }
  const WithScalar match = with_scalar(node);
  if (!match || !match.constant_first || match.scalar != 1) return nullptr;
  if (const Node* root = rewriter.made_only_for(b, "sqrt")) return rewriter.before(node).op("rsqrt", {root->input(0)});
  return rewriter.before(node).op("reciprocal", {b});
}

// The run of indices first, first + 1, .. that a constant holds, none below 0; false: it holds something else.
bool index_run(const Value* indices, int64_t& first, int64_t& count) {
  if (!indices->is_constant() || indices->rank() > 1) return false;
  const Tensor& tensor = indices->tensor();
  count = tensor.count();
  if (count == 0 || count > 4096) return false;
  first = element_as_int(tensor, 0);
  for (int64_t i = 1; i < count; ++i) {
    if (element_as_int(tensor, i) != first + i) return false;
  }
  return first >= 0;
}

// A gather of neighbours is a slice, which may be no copy at all.
Value* slice_of_gather(Rewriter& rewriter, Node* node) {
  const Value* x = node->input(0);
  int64_t axis = node->attributes<GatherAttributes>().axis, first = 0, count = 0;
  if (!index_run(node->input(1), first, count)) return nullptr;
  if (axis < 0) axis += x->rank();
  // An index beyond the axis must stay an error.
  if (x->shape()[static_cast<size_t>(axis)].low() < first + count) return nullptr;
  Builder builder = rewriter.before(node);
  Value* part = builder.op("slice", {node->input(0)}, SliceAttributes{{Dim(first)}, {Dim(first + count)}, {axis}, {}});
  if (part->shape() == node->output()->shape()) return part;
  return builder.op("reshape", {part}, ReshapeAttributes{node->output()->shape()});
}

// Whether f32 holds all its numbers and their neighbours, so that no other integer is rounded to one of them.
bool exact_in_f32(const Value* value, const PassContext& context) {
  if (!value->is_constant() || value->tensor().count() > context.fold_limit) return false;
  for (int64_t i = 0; i < value->tensor().count(); ++i) {
    const int64_t number = element_as_int(value->tensor(), i);
    if (number <= -(int64_t{1} << 24) || number >= int64_t{1} << 24) return false;
  }
  return true;
}

// A comparison of integers with constants that f32 holds is one of f32: rounding keeps the order and makes no two
// equal.
Value* float_comparison(Rewriter& rewriter, Node* node) {
  const bool known =
      exact_in_f32(node->input(0), rewriter.context()) || exact_in_f32(node->input(1), rewriter.context());
  if (!known || !is_integer(node->input(0)->dtype())) return nullptr;
  ConstantBuilder builder(rewriter, node);
  std::vector<Value*> operands;
  for (Value* value : node->inputs()) operands.push_back(builder.op("cast", {value}, CastAttributes{DType::f32}));
  return rewriter.before(node).op(node->op().name, operands);
}

Value* canonical(Rewriter& rewriter, Node* node) {
  if (node->is("gather")) return slice_of_gather(rewriter, node);
  for (const char* name : {"eq", "ne", "lt", "le", "gt", "ge"}) {
    if (node->is(name)) return float_comparison(rewriter, node);
  }
  if (node->output()->dtype() != DType::f32) return nullptr;
  if (node->is("pow")) return power(rewriter, node);
  if (node->is("div")) return quotient(rewriter, node);
  if (node->is("sub") && small_constant(node->input(1), rewriter.context())) {
    Value* negative = ConstantBuilder(rewriter, node).op("neg", {node->input(1)});
    return rewriter.before(node).op("add", {node->input(0), negative});
  }
  if (node->is("mul") && node->input(0) == node->input(1)) return rewriter.before(node).op("square", {node->input(0)});
  if (node->is("max")) {
    const WithScalar match = with_scalar(node);
    if (match && match.scalar == 0) return rewriter.before(node).op("relu", {match.other});
  }
  if (node->is("reciprocal")) {
    const Node* root = rewriter.made_only_for(node->input(0), "sqrt");
    if (root) return rewriter.before(node).op("rsqrt", {root->input(0)});
  }
  return nullptr;
}

}  // namespace

bool canonicalise(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph, context);
  return rewriter.each([&](Node* node) {
    if (node->outputs().size() != 1 || node->output()->keep()) return;
    if (Value* fresh = canonical(rewriter, node)) rewriter.replace(node->output(), fresh);
  });
}

}  // namespace narae::passes
