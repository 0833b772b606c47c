// SPDX-License-Identifier: Apache-2.0
// Moves transposes down through pointwise nodes, concatenations and reductions until they meet one that undoes them,
// and into matrix products. A node is passed only where a transpose above it dies, so there are never more of them than
// before.
#include <algorithm>

#include "ops/concat.h"
#include "ops/matmul.h"
#include "ops/reduce.h"
#include "ops/transpose.h"
#include "passes/fold.h"
#include "passes/pass_list.h"
#include "passes/transposes.h"

namespace narae::passes {
namespace {

using Perm = std::vector<int64_t>;

const Perm& perm_of(const Node& transpose) { return transpose.attributes<TransposeAttributes>().perm; }

Perm inverse(const Perm& perm) {
  Perm result(perm.size());
  for (size_t i = 0; i < perm.size(); ++i) result[static_cast<size_t>(perm[i])] = static_cast<int64_t>(i);
  return result;
}

class Moving {
 public:
  explicit Moving(Rewriter& rewriter) : rewriter_(rewriter) {}

  // What the node's result may be replaced by; null: nothing moves.
  Value* visit(Node* node) {
    if (node->is("transpose")) return simpler_transpose(rewriter_, node);
    if (node->is("matmul")) return matmul(node);
    if (node->is("concat")) return concat(node);
    if (node->op().has(op_pointwise)) return pointwise(node);
    if (std::string_view(node->op().name).substr(0, 7) == "reduce_") return reduce(node);
    return nullptr;
  }

 private:
  struct Shared {
    Perm perm;          // empty: there is none
    bool dies = false;  // a transpose that only this node reads
  };
  // The permutation that all transposed operands have.
  Shared shared(const Node& node) const {
    Shared found;
    for (const Value* value : node.inputs()) {
      const Node* transpose = rewriter_.made_by(value, "transpose");
      if (!transpose || rewriter_.constant(value)) continue;
      if (!found.perm.empty() && found.perm != perm_of(*transpose)) return {};
      found.perm = perm_of(*transpose);
      found.dies = found.dies || (!rewriter_.is_result(value) && read_only_by(*value, node));
    }
    return found;
  }
  static bool read_only_by(const Value& value, const Node& node) {
    return value.users().size() <= node.inputs().size() &&
           std::all_of(value.users().begin(), value.users().end(), [&](const Node* user) { return user == &node; });
  }

  static Shape padded(const Value& value, size_t rank) {
    Shape shape(rank - value.shape().size(), Dim(1));
    shape.insert(shape.end(), value.shape().begin(), value.shape().end());
    return shape;
  }

  static Shape before_perm(const Shape& shape, const Perm& perm) {
    Shape before;
    for (const int64_t axis : inverse(perm)) before.push_back(shape[static_cast<size_t>(axis)]);
    return before;
  }

  // Whether `value` is to be had as it was before `perm` without a transpose at run time.
  bool can_undo(const Value* value, const Perm& perm) const {
    if (!value || value->shape().size() > perm.size()) return false;
    return rewriter_.constant(value) || rewriter_.made_by(value, "transpose") ||
           moves_nothing(padded(*value, perm.size()), inverse(perm));
  }

  Value* undone(Node* node, Value* value, const Perm& perm) {
    if (value->is_constant() && value->tensor().count() == 1) return value;
    const Shape shape = padded(*value, perm.size());
    if (rewriter_.constant(value)) {
      ConstantBuilder builder(rewriter_, node);
      return builder.op("transpose", {builder.reshape(value, shape)}, TransposeAttributes{inverse(perm)});
    }
    if (const Node* transpose = rewriter_.made_by(value, "transpose")) return transpose->input(0);
    return reshaped(rewriter_, node, value, before_perm(shape, perm));
  }

  bool undo_all(Node* node, const Perm& perm, std::vector<Value*>& operands) {
    for (const Value* value : node->inputs()) {
      if (!can_undo(value, perm)) return false;
    }
    for (Value* value : node->inputs()) operands.push_back(undone(node, value, perm));
    return true;
  }

  Value* transposed(Node* before, Value* value, const Perm& perm) {
    return rewriter_.before(before).op("transpose", {value}, TransposeAttributes{perm});
  }

  Node* rebuilt(Node* node, std::vector<Value*> operands, Attributes attributes) {
    Node* made = rewriter_.graph().add_node(&node->op(), std::move(attributes), std::move(operands), 1, node);
    made->add_origins(node->origins());
    return made;
  }

  Value* pointwise(Node* node) {
    const auto [perm, dies] = shared(*node);
    if (!dies || perm.size() != node->output()->shape().size()) return nullptr;
    std::vector<Value*> operands;
    if (!undo_all(node, perm, operands)) return nullptr;
    return transposed(node, rebuilt(node, std::move(operands), node->attribute_box())->output(), perm);
  }

  Value* concat(Node* node) {
    const auto [perm, dies] = shared(*node);
    if (!dies) return nullptr;
    std::vector<Value*> operands;
    if (!undo_all(node, perm, operands)) return nullptr;
    const int64_t axis = node->attributes<ConcatAttributes>().axis;
    const size_t place = static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(perm.size()) : axis);
    Node* made = rebuilt(node, std::move(operands), make_attributes(ConcatAttributes{perm[place]}));
    return transposed(node, made->output(), perm);
  }

  Value* reduce(Node* node) {
    const auto [perm, dies] = shared(*node);
    if (perm.empty()) return nullptr;
    auto attributes = node->attributes<ReduceAttributes>();
    Perm rest;
    for (int64_t i = 0; i < static_cast<int64_t>(perm.size()); ++i) {
      if (!std::count(attributes.axes.begin(), attributes.axes.end(), i)) rest.push_back(perm[static_cast<size_t>(i)]);
    }
    // The transpose may stay for other readers where none takes its place.
    const bool vanishes = attributes.keepdims ? moves_nothing(before_perm(node->output()->shape(), perm), perm)
                                              : std::is_sorted(rest.begin(), rest.end());
    if (!vanishes && !(dies && attributes.keepdims)) return nullptr;
    for (int64_t& axis : attributes.axes) axis = perm[static_cast<size_t>(axis)];
    std::sort(attributes.axes.begin(), attributes.axes.end());
    const bool keepdims = attributes.keepdims;
    Node* made = rebuilt(node, {node->input(0)->producer()->input(0)}, make_attributes(std::move(attributes)));
    if (!keepdims) return made->output();
    return vanishes ? reshaped(rewriter_, node, made->output(), node->output()->shape())
                    : transposed(node, made->output(), perm);
  }

  // A transpose of the last two axes is an attribute of the product, but for the left operand of constant weights:
  // there the product of packed weights wants its rows.
  Value* matmul(Node* node) {
    auto attributes = node->attributes<MatmulAttributes>();
    std::vector<Value*> operands = node->inputs();
    bool found = false;
    for (size_t i = 0; i < 2; ++i) {
      const Node* transpose = rewriter_.made_by(operands[i], "transpose");
      if (!transpose || (i == 0 && rewriter_.constant(operands[1]))) continue;
      Perm perm = perm_of(*transpose);
      std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
      if (!std::is_sorted(perm.begin(), perm.end())) continue;
      operands[i] = transpose->input(0);
      bool& flag = i == 0 ? attributes.transpose_a : attributes.transpose_b;
      flag = !flag;
      found = true;
    }
    return found ? rebuilt(node, std::move(operands), make_attributes(attributes))->output() : nullptr;
  }

  Rewriter& rewriter_;
};

}  // namespace

bool move_transposes(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph, context);
  Moving moving(rewriter);
  return rewriter.each([&](Node* node) {
    if (node->outputs().size() != 1 || node->output()->keep() || rewriter.constant(node)) return;
    if (Value* fresh = moving.visit(node)) rewriter.replace(node->output(), fresh);
  });
}

}  // namespace narae::passes
