// SPDX-License-Identifier: Apache-2.0
// A contraction node, alone or with the pointwise rest of its fused body, taken apart for kernels: what they do in
// registers (bias, residual, activation) and the program that is left for the hot tile. For all backends alike.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "backend/tactic.h"
#include "tensor/scalar_program.h"

namespace narae {

// Of 16 bits, computed with in f32.
inline bool is_narrow(DType type) { return type == DType::f16 || type == DType::bf16; }

// How an operand of these dims varies over an output tile; empty: in a way that the kernel cannot follow.
using SpanOf = std::function<std::optional<ScalarClass>(const Dims& operand)>;

struct ContractionBody {
  const Node* anchor = nullptr;
  // Decodes the anchor's right operand inside the body; null: that is an operand.
  const Node* decoder = nullptr;
  std::vector<int> operands;  // node operand that the anchor's input i is, or is decoded from; -1: absent
  Dims result;                // of the anchor and of the whole
  float scale = 1;            // on the anchor's result, before all else
  // Node operands added to the result, in this order; -1: none. A bias varies along the columns only.
  int bias = -1, residual = -1;
  std::optional<ScalarInstr> act;  // relu, clip, hard_swish or leaky_relu, after both
  ScalarProgram rest;              // from the result of all that (input 0) to the node's; no outputs: nothing is left
  std::vector<int> rest_operands;  // node operand of input i; [0] is -1

  bool has_rest() const { return !rest.outputs.empty(); }
};

// Nodes that result `part` of a fused node is made by, in order; a node that is not fused is its own.
std::vector<const Node*> part_nodes(const Node& node, size_t part);
// The only contraction among them, when that is an `op`; null otherwise.
const Node* contraction_anchor(const Node& node, std::string_view op, size_t part = 0);
// What a kernel can do by itself.
struct BodyAbility {
  bool scale = false;    // a constant factor; else it stays in the rest, as does
  bool residual = true;  // a residual
  bool masks = false;    // boolean operands of the rest
  // Operands and result may be f16 or bf16: those of the anchor brought up to f32 by casts in the body, its result and
  // that of the rest rounded at the end.
  bool narrow = false;
  bool from_blocks = false;  // true: only bodies that decode the right operand (dequantize_blocks); else only others
};

// Empty: the node is neither `anchor_op` nor a fused body of one such node and f32 pointwise ops after it.
// A horizontal body is taken apart by results: `part` is the one meant; of other nodes there is but one.
std::optional<ContractionBody> contraction_body(const Node& node, const NodeDims& dims, std::string_view anchor_op,
                                                const std::function<SpanOf(const Dims& result)>& spans, size_t part = 0,
                                                const BodyAbility& can = {});

}  // namespace narae
