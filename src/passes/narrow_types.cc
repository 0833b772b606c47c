// SPDX-License-Identifier: Apache-2.0
// --precision fp16 and bf16: values between nodes are stored in 16 bits. A node that computes is wrapped in a body that
// brings its operands up to f32 and rounds its result, so that products accumulate in f32, and norms, softmax and
// reductions work in f32 inside; nodes that only move elements, and those of attention over states, take the narrow
// type as it is. All others keep f32 between casts. A product that is the graph's result is not rounded. The one thing
// not to get wrong: a weight that f16 cannot hold keeps its node in f32.
#include <algorithm>
#include <array>
#include <cmath>

#include "ops/cast.h"
#include "ops/fused.h"
#include "passes/fused_body.h"
#include "passes/pass_list.h"

namespace narae::passes {
namespace {

constexpr double f16_largest = 65504;

bool is_one_of(const Node& node, std::initializer_list<const char*> names) {
  return std::any_of(names.begin(), names.end(), [&](const char* name) { return node.is(name); });
}

bool only_products(const Graph& body) {
  for (const Node* node = body.first(); node; node = node->next()) {
    if (node->op().has(op_contraction) && !node->is("matmul")) return false;
  }
  return true;
}

enum class Way { keep, wrap_product, wrap, move };

Way way_of(const Node& node) {
  if (is_one_of(node, {"conv", "matmul"})) return Way::wrap_product;
  if (node.is("fused")) {
    const std::string& kind = node.attributes<FusedAttributes>().kind;
    if (kind == "pointwise" || kind == "row") return Way::wrap;
    if (kind == "swiglu" || kind == "horizontal")
      return only_products(*node.bodies()[0]) ? Way::wrap_product : Way::keep;
    const Node* anchor = kind == "contraction" ? inner_anchor(node) : nullptr;
    return anchor && is_one_of(*anchor, {"conv", "matmul"}) ? Way::wrap_product : Way::keep;
  }
  if (is_one_of(node, {"softmax", "log_softmax", "layer_norm", "rms_norm", "reduce_sum", "reduce_mean", "reduce_max",
                       "reduce_min"})) {
    return Way::wrap;
  }
  if (scalar_f32(node) && !node.is("cast")) return Way::wrap;
  if (node.op().has(op_view) || is_one_of(node, {"transpose", "concat", "split", "slice", "expand", "max_pool",
                                                 "avg_pool", "gather", "rope", "paged_attention"})) {
    return Way::move;
  }
  return Way::keep;
}

class Narrowing {
 public:
  Narrowing(Rewriter& rewriter, DType type) : rewriter_(rewriter), graph_(rewriter.graph()), type_(type) {}

  void node(Node* node) {
    if (node->is("kv_write") && node->input(0)->dtype() == type_) return write(node);
    const Way way = way_of(*node);
    if (way == Way::keep || node->updates_state() || rewriter_.constant(node)) return;
    for (const Value* value : node->outputs()) {
      if (value->keep() || (way != Way::move && value->dtype() != DType::f32 && value->dtype() != DType::boolean))
        return;
    }
    if (const Value* weight = too_large(*node)) {
      rewriter_.context().refused("precision", {node->label()},
                                  "\"" + weight->name() + "\" holds values that fp16 cannot, so it stays f32");
      return;
    }
    if (way == Way::move) return move(node);
    wrap(node, way == Way::wrap_product);
  }

 private:
  // The 16-bit value that `value` was brought up from; null: there is none.
  static Value* narrow_source(const Value* value) {
    const Node* cast = value->producer();
    const bool widens = cast && cast->is("cast") && value->dtype() == DType::f32;
    if (!widens) return nullptr;
    const DType from = cast->input(0)->dtype();
    return from == DType::f16 || from == DType::bf16 ? cast->input(0) : nullptr;
  }
  Value* cast(Value* value, DType to, Node* before) {
    return Builder(graph_, before).op("cast", {value}, CastAttributes{to});
  }
  Value* narrow(Value* value, Node* before) {
    Value* source = narrow_source(value);
    if (source && source->dtype() == type_) return source;
    Value*& made = made_[value];
    if (!made) made = cast(value, type_, before);
    return made;
  }
  const Value* too_large(const Node& node) {
    if (type_ != DType::f16) return nullptr;
    for (const Value* value : node.inputs()) {
      if (!value || !value->is_constant() || value->dtype() != DType::f32 || !value->tensor().data) continue;
      auto [known, fresh] = fits_.try_emplace(value, true);
      if (fresh) {
        const auto* data = value->tensor().as<float>();
        known->second = std::all_of(data, data + value->tensor().count(),
                                    [](float x) { return std::isinf(x) || !(std::fabs(x) > f16_largest); });
      }
      if (!known->second) return value;
    }
    return nullptr;
  }
  // What goes into a state of the narrow type is rounded no later than there.
  void write(Node* node) {
    if (node->input(1)->dtype() != DType::f32) return;
    graph_.set_input(node, 1, narrow(node->input(1), node));
    rewriter_.set_changed();
  }
  // Readers of an f32 result read its rounded form brought up again.
  void hand_on(Value* old_value, Value* rounded, Node* before) {
    Value* wide = cast(rounded, DType::f32, before);
    wide->set_name(old_value->name());
    rewriter_.redirect(old_value, wide);
  }

  void wrap(Node* node, bool product) {
    FusedBody body(graph_);
    std::unordered_map<Value*, Value*> wide;
    const std::string label = node->label();
    for (size_t i = 0; i < node->inputs().size(); ++i) {
      Value* value = node->input(i);
      if (!value || value->dtype() != DType::f32) continue;
      const bool constant = rewriter_.constant(value);
      if (constant && (!product || (value->is_constant() && value->tensor().count() == 1))) continue;
      Value*& up = wide[value];
      if (!up) {
        up = cast(narrow(value, node), DType::f32, node);
        body.add(up->producer());
      }
      graph_.set_input(node, i, up);
    }
    Node* after = node->next();
    body.add(node);
    std::vector<Value*> results(node->outputs().begin(), node->outputs().end()), rounded;
    Node* last = node;
    for (Value* result : results) {
      if (result->dtype() != DType::f32 || (product && is_result(result))) {
        rounded.push_back(result);
        continue;
      }
      Value* down = cast(result, type_, after);
      last = down->producer();
      Value* up = cast(down, DType::f32, after);
      up->set_name(result->name());
      redirect_but(result, up, down->producer());
      body.add(down->producer());
      rounded.push_back(down);
    }
    for (Value* value : rounded) body.add_output(value);
    const std::string kind = node->is("fused")   ? node->attributes<FusedAttributes>().kind
                             : product           ? "contraction"
                             : node->op().scalar ? "pointwise"
                                                 : "row";
    Node* fused = body.finish(rewriter_, kind.c_str(), last == node ? node : last);
    rewriter_.context().fused("precision", {label}, fused->label());
    rewriter_.set_changed();
  }
  // All readers but one.
  void redirect_but(Value* old_value, Value* fresh, Node* reader) {
    rewriter_.redirect(old_value, fresh);
    graph_.set_input(reader, 0, old_value);
  }

  bool is_result(const Value* value) const {
    return std::find(graph_.outputs().begin(), graph_.outputs().end(), value) != graph_.outputs().end();
  }

  void move(Node* node) {
    const size_t data = node->is("concat") ? node->inputs().size() : 1;
    bool any = false, all = true;
    for (size_t i = 0; i < data; ++i) {
      const Value* value = node->input(i);
      all = all && value && value->dtype() == DType::f32;
      any = any || (value && (narrow_source(value) || (node->is("gather") && rewriter_.constant(value))));
    }
    if (!any || !all) return;
    std::vector<Value*> inputs(node->inputs().begin(), node->inputs().end());
    for (size_t i = 0; i < data; ++i) inputs[i] = narrow(inputs[i], node);
    Node* fresh = graph_.add_node(&node->op(), node->attribute_box(), std::move(inputs),
                                  static_cast<int>(node->outputs().size()), node);
    fresh->add_origins(node->origins());
    for (size_t i = 0; i < node->outputs().size(); ++i) {
      if (fresh->output(i)->dtype() == type_) {
        hand_on(node->output(i), fresh->output(i), node);
      } else {
        rewriter_.redirect(node->output(i), fresh->output(i));
      }
    }
    graph_.erase(node);
    rewriter_.set_changed();
  }

  Rewriter& rewriter_;
  Graph& graph_;
  DType type_;
  std::unordered_map<const Value*, Value*> made_;
  std::unordered_map<const Value*, bool> fits_;
};

}  // namespace

bool narrow_types(Graph& graph, const Target& target, PassContext& context) {
  if (!target.narrow()) return false;
  Rewriter rewriter(graph, context);
  Narrowing narrowing(rewriter, target.precision == "fp16" ? DType::f16 : DType::bf16);
  std::vector<Node*> nodes;
  for (Node* node = graph.first(); node; node = node->next()) nodes.push_back(node);
  for (Node* node : nodes) {
    ++context.visited;
    narrowing.node(node);
  }
  graph.erase_dead();
  return rewriter.changed();
}

}  // namespace narae::passes
