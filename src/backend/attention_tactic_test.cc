// SPDX-License-Identifier: Apache-2.0
// Cases of attention bodies: heads inside tokens and before them, transposes on either side, masks of every shape,
// factors before and after the product, sizes that fit no tile, 16 bits with casts around each op.
#include <cmath>

#include "backend/tactic_cases_test.h"
#include "graph/builder.h"
#include "ops/cast.h"
#include "ops/fused.h"
#include "ops/matmul.h"
#include "ops/softmax.h"
#include "ops/transpose.h"

namespace narae {
namespace {

struct AttentionCase {
  const char* name;
  struct {
    int64_t n, heads, queries, keys, width, value_width;
  } size;
  bool tokens_first = true;                    // operands and result are [N, S, H, D], else [N, H, S, D]
  std::vector<int64_t> k_perm = {0, 2, 3, 1};  // where tokens come first
  double q_factor = 0, k_factor = 0, factor = 0;
  Dims mask = {};           // added to the scores
  bool chosen = false;      // the mask is boolean and chooses between the score and -10000
  bool hidden = false;      // some of the mask is -inf
  DType type = DType::f32;  // of q, k, v, the result and what lies between
};

// One in three is hidden, never the first of a row.
Tensor mask_values(const AttentionCase& c) {
  Tensor tensor = Tensor::allocate(c.chosen ? DType::boolean : DType::f32, c.mask);
  fill_normal(tensor, 77);
  for (int64_t i = 0; i < tensor.count(); ++i) {
    const bool hide = i % c.mask.back() % 3 == 2;
    if (c.chosen) tensor.as<uint8_t>()[i] = !hide;
    if (c.hidden && hide) tensor.as<float>()[i] = -INFINITY;
  }
  return tensor;
}

class CaseBuilder {
 public:
  CaseBuilder(const AttentionCase& c, const OpTable& ops)
      : c_(c),
        ops_(ops),
        graph_(std::make_unique<Graph>(ops)),
        body_(std::make_unique<Graph>(ops, "body")),
        scores_body_(std::make_unique<Graph>(ops, "scores")) {}

  std::unique_ptr<Graph> run() {
    Builder b(*body_);
    Value* q = operand(b, "q", c_.size.queries, c_.size.width, {0, 2, 1, 3}, c_.q_factor);
    Value* k = operand(b, "k", c_.size.keys, c_.size.width, c_.k_perm, c_.k_factor);
    Value* v = operand(b, "v", c_.size.keys, c_.size.value_width, {0, 2, 1, 3}, 0);
    const bool turned = c_.tokens_first && c_.k_perm == std::vector<int64_t>{0, 2, 3, 1};
    Value* s = scores(q, k, !turned);
    Value* y = op("matmul", {op("softmax", {s}, SoftmaxAttributes{3}), v}, MatmulAttributes{});
    if (c_.tokens_first) y = b.op("transpose", {y}, TransposeAttributes{{0, 2, 1, 3}});
    body_->add_output(y);
    Node* node = graph_->add_node(ops_.get("fused"), make_attributes(FusedAttributes{"attention"}), operands_, 1,
                                  nullptr, std::move(body_));
    graph_->add_output(node->output(0));
    return std::move(graph_);
  }

 private:
  Value* operand(Builder& b, const char* name, int64_t tokens, int64_t width, std::vector<int64_t> perm,
                 double factor) {
    const Shape shape = c_.tokens_first ? to_shape({c_.size.n, tokens, c_.size.heads, width})
                                        : to_shape({c_.size.n, c_.size.heads, tokens, width});
    operands_.push_back(graph_->add_input(name, c_.type, shape));
    Value* x = body_->add_input(name, c_.type, shape);
    if (factor != 0) x = b.op("mul", {x, b.scalar(factor)});
    return c_.tokens_first ? b.op("transpose", {x}, TransposeAttributes{std::move(perm)}) : x;
  }

  // As f32 and back, where it is not.
  static Value* cast(Builder& b, Value* x, DType to) {
    return x->dtype() == to ? x : b.op("cast", {x}, CastAttributes{to});
  }
  // In the body: an op, in 16 bits a body of its own with casts around it.
  template <typename Attributes>
  Value* op(const char* name, const std::vector<Value*>& inputs, const Attributes& attributes) {
    if (c_.type == DType::f32) return Builder(*body_).op(name, inputs, attributes);
    auto own = std::make_unique<Graph>(ops_, name);
    Builder b(*own);
    std::vector<Value*> wide;
    for (const Value* value : inputs) wide.push_back(cast(b, own->add_input("", c_.type, value->shape()), DType::f32));
    own->add_output(cast(b, b.op(name, wide, attributes), c_.type));
    return body_
        ->add_node(ops_.get("fused"), make_attributes(FusedAttributes{"row"}), inputs, 1, nullptr, std::move(own))
        ->output(0);
  }

  Value* scores(Value* q, Value* k, bool transpose_b) {
    Builder b(*scores_body_);
    std::vector<Value*> outside{q, k}, wide;
    for (const Value* value : outside)
      wide.push_back(cast(b, scores_body_->add_input("", c_.type, value->shape()), DType::f32));
    Value* s = b.op("matmul", wide, MatmulAttributes{false, transpose_b});
    if (c_.factor != 0) s = b.op("mul", {s, b.scalar(c_.factor)});
    if (!c_.mask.empty()) {
      const DType type = c_.chosen ? DType::boolean : DType::f32;
      operands_.push_back(graph_->add_constant(mask_values(c_)));
      outside.push_back(body_->add_input("mask", type, to_shape(c_.mask)));
      Value* mask = scores_body_->add_input("mask", type, to_shape(c_.mask));
      s = c_.chosen ? b.op("select", {mask, s, b.scalar(-10000)}) : b.op("add", {mask, s});
    }
    if (s->producer()->is("matmul"))  // no body of its own
      return op("matmul", {q, k}, MatmulAttributes{false, transpose_b});
    scores_body_->add_output(cast(b, s, c_.type));
    return body_
        ->add_node(ops_.get("fused"), make_attributes(FusedAttributes{"contraction"}), outside, 1, nullptr,
                   std::move(scores_body_))
        ->output(0);
  }

  const AttentionCase& c_;
  const OpTable& ops_;
  std::unique_ptr<Graph> graph_, body_, scores_body_;
  std::vector<Value*> operands_;
};

void add_open_cases(std::vector<AttentionCase>& cases) {
  const std::vector<int64_t> straight = {0, 2, 1, 3};
  const auto add = [&](AttentionCase c) { cases.push_back(std::move(c)); };
  add({.name = "plain", .size = {2, 3, 13, 13, 8, 8}});
  add({.name = "scaled", .size = {1, 2, 50, 50, 64, 64}, .factor = 0.125});
  add({.name = "keys_untransposed", .size = {2, 2, 21, 35, 16, 24}, .k_perm = straight, .factor = 0.25});
  add({.name = "heads_first", .size = {2, 3, 19, 7, 5, 3}, .tokens_first = false, .factor = 0.5});
  add({.name = "factors_before", .size = {1, 2, 9, 20, 12, 12}, .q_factor = 0.6, .k_factor = 0.7});
  add({.name = "one_query", .size = {3, 2, 1, 30, 16, 16}, .factor = 0.25});
  add({.name = "one_key", .size = {1, 2, 5, 1, 16, 16}});
  add({.name = "one_column", .size = {1, 2, 5, 6, 1, 1}});
}

void add_masked_cases(std::vector<AttentionCase>& cases) {
  const auto add = [&](AttentionCase c) { cases.push_back(std::move(c)); };
  add({.name = "key_mask", .size = {2, 3, 17, 37, 8, 8}, .factor = 0.3, .mask = {2, 1, 1, 37}, .hidden = true});
  add({.name = "key_mask_for_all", .size = {2, 3, 17, 37, 8, 8}, .mask = {37}, .hidden = true});
  add({.name = "mask_by_query", .size = {2, 2, 33, 33, 8, 8}, .factor = 0.3, .mask = {2, 1, 33, 33}, .hidden = true});
  add({.name = "bias_by_head", .size = {2, 2, 20, 18, 8, 8}, .mask = {1, 2, 20, 18}});
  add({.name = "many_keys", .size = {1, 1, 70, 1100, 40, 72}, .factor = 0.15, .mask = {70, 1100}, .hidden = true});
  add({.name = "chosen_keys", .size = {2, 3, 17, 37, 8, 8}, .factor = 0.3, .mask = {2, 1, 1, 37}, .chosen = true});
  add({.name = "chosen_by_query", .size = {2, 3, 40, 600, 8, 8}, .mask = {2, 1, 40, 600}, .chosen = true});
  add({.name = "chosen_queries", .size = {2, 3, 17, 37, 8, 8}, .mask = {3, 17, 1}, .chosen = true});
}

void add_narrow_cases(std::vector<AttentionCase>& cases) {
  for (const DType type : {DType::f16, DType::bf16}) {
    const auto add = [&](AttentionCase c) { c.type = type, cases.push_back(std::move(c)); };
    add({.name = "narrow", .size = {2, 3, 70, 130, 64, 64}});
    add({.name = "narrow_scaled", .size = {1, 2, 128, 128, 64, 64}, .factor = 0.125});
    add({.name = "narrow_key_mask",
         .size = {2, 2, 50, 61, 128, 128},
         .factor = 0.09,
         .mask = {2, 1, 1, 61},
         .hidden = true});
    add({.name = "narrow_bias_by_head", .size = {2, 3, 20, 37, 64, 64}, .factor = 0.125, .mask = {1, 3, 20, 37}});
    add({.name = "narrow_heads_first", .size = {2, 3, 19, 7, 5, 3}, .tokens_first = false, .factor = 0.5});
    add({.name = "narrow_chosen_keys",
         .size = {2, 3, 17, 37, 8, 8},
         .factor = 0.3,
         .mask = {2, 1, 1, 37},
         .chosen = true});
  }
}

}  // namespace

void add_attention_cases(std::vector<TacticCase>& cases) {
  std::vector<AttentionCase> made;
  add_open_cases(made);
  add_masked_cases(made);
  add_narrow_cases(made);
  for (const AttentionCase& c : made) {
    // In 16 bits the reference rounds scores and weights, a kernel does not.
    const double tolerance = c.type == DType::f32 ? 1e-5 : c.type == DType::f16 ? 5e-3 : 4e-2;
    cases.push_back({fmt::format("attention_{}_{}", c.name, dtype_name(c.type)),
                     [c](const OpTable& ops) { return CaseBuilder(c, ops).run(); }, tolerance, c.type == DType::f32});
  }
}

}  // namespace narae
