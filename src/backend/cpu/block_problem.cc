// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/block_problem.h"

#include <algorithm>

#include "backend/cpu/conv_problem.h"
#include "backend/cpu/cost.h"
#include "backend/lower_scalar.h"
#include "ops/dequantize_blocks.h"
#include "ops/matmul.h"

namespace narae::cpu {

namespace {

bool transposed_right(const Node& anchor) {
  const auto& attributes = anchor.attributes<MatmulAttributes>();
  return !attributes.transpose_a && attributes.transpose_b;
}

// Fills in what follows from body.operands and body.decoder; false: the kernels cannot do it.
bool describe(const Node& node, const NodeDims& dims, BlockProblem& problem) {
  const ContractionBody& body = problem.body;
  problem.a = static_cast<size_t>(body.operands[0]), problem.blocks = static_cast<size_t>(body.operands[1]);
  if (!node.input(problem.blocks)->is_constant()) return false;
  const Dims& blocks = dims.inputs[problem.blocks];
  const BlockFormatInfo& info =
      block_format_info(block_format_from_name(body.decoder->attributes<DequantizeBlocksAttributes>().format));
  problem.shape.form = block_form(info.format);
  problem.shape.n = body.result.back();
  problem.shape.k = blocks.back() / info.bytes * info.values;
  if (problem.shape.n == 0 || problem.shape.k == 0) return false;
  if (element_count(blocks) != problem.shape.n * blocks.back()) return false;  // one matrix for all
  problem.shape.m = element_count(body.result) / problem.shape.n;
  problem.space = {body.result, 0, false, 1};
  return problem.shape.m > 0;
}

// Of a product in a body whose operands are all the body's; empty where one is not.
std::optional<BlockProblem> product_inside(const Node& node, const NodeDims& dims, const Node& anchor) {
  const std::vector<Value*>& inputs = node.bodies()[0]->inputs();
  const auto operand = [&](const Value* value) {
    const auto found = std::find(inputs.begin(), inputs.end(), value);
    return found == inputs.end() || value->is_constant() ? -1 : static_cast<int>(found - inputs.begin());
  };
  const Node* decoder = anchor.input(1)->producer();
  if (!transposed_right(anchor) || !decoder || !decoder->is("dequantize_blocks")) return std::nullopt;
  BlockProblem problem;
  problem.body.anchor = &anchor, problem.body.decoder = decoder;
  problem.body.operands = {operand(anchor.input(0)), operand(decoder->input(0))};
  if (problem.body.operands[0] < 0 || problem.body.operands[1] < 0) return std::nullopt;
  if (anchor.input(0)->dtype() != DType::f32) return std::nullopt;
  problem.body.result = evaluate(anchor.output(0)->shape(), *dims.symbols);
  if (!describe(node, dims, problem)) return std::nullopt;
  return problem;
}

}  // namespace

std::optional<BlockProblem> block_problem(const Node& node, const NodeDims& dims, size_t part) {
  const Node* anchor = contraction_anchor(node, "matmul", part);
  if (!anchor || !transposed_right(*anchor)) return std::nullopt;
  const auto spans = [&](const Dims& result) -> SpanOf {
    return [space = TileSpace{result, 0, false, 1}](const Dims& operand) { return tile_class(space, operand); };
  };
  std::optional<ContractionBody> body = contraction_body(node, dims, "matmul", spans, part, {.from_blocks = true});
  if (!body) return std::nullopt;
  BlockProblem problem;
  problem.part = part;
  problem.body = std::move(*body);
  if (!describe(node, dims, problem)) return std::nullopt;
  return problem;
}

std::optional<std::array<BlockProblem, 2>> gated_block_problems(const Node& node, const NodeDims& dims) {
  if (!node.is("fused") || node.outputs().size() != 1 || node.output()->dtype() != DType::f32) return std::nullopt;
  std::vector<const Node*> anchors, rest;
  for (const Node* inner : part_nodes(node, 0)) {
    if (inner->is("matmul")) {
      anchors.push_back(inner);
    } else if (!inner->is("dequantize_blocks")) {
      rest.push_back(inner);
    }
  }
  if (anchors.size() != 2 || rest.empty()) return std::nullopt;
  std::optional<BlockProblem> gate = product_inside(node, dims, *anchors[0]);
  std::optional<BlockProblem> up = product_inside(node, dims, *anchors[1]);
  if (!gate || !up || gate->a != up->a || anchors[0]->output(0)->shape() != anchors[1]->output(0)->shape())
    return std::nullopt;
  if (node.output()->shape() != anchors[1]->output(0)->shape()) return std::nullopt;
  Value* const output = node.bodies()[0]->outputs()[0];
  const Value* leading[] = {anchors[1]->output(0), anchors[0]->output(0)};
  std::optional<LoweredScalar> lowered =
      lower_scalar(rest, {&output, 1}, leading, [](const Value&) { return ScalarClass::full; });
  if (!lowered || lowered->inputs.size() != 2 || !lowered->row_axes.empty()) return std::nullopt;
  up->body.rest = std::move(lowered->program);
  up->body.rest_operands = {-1, 0};
  return std::array<BlockProblem, 2>{std::move(*gate), std::move(*up)};
}

NodeDims gate_dims(const BlockProblem& gate) {
  NodeDims dims;
  dims.inputs = dims.outputs = {gate.body.result};
  return dims;
}

double block_gemm_seconds(const BlockProblem& problem, const Target& target) {
  const BlockGemmShape& s = problem.shape;
  const auto m = static_cast<double>(s.m), n = static_cast<double>(s.n), k = static_cast<double>(s.k);
  const double bytes = static_cast<double>(packed_blocks_bytes(s.form, s.n, s.k)) + 4 * (m * k + m * n);
  const double work = rest_seconds(problem.body, m * n, target);
  // Eight bits go at a share of the byte products' peak; without such instructions somewhat faster than f32 does.
  const double peak = !s.int8 ? 0.75 : target.int8_ops > 0 ? 0.6 * target.int8_ops / target.fma_flops : 1.2;
  const double decoding = s.int8 ? 0 : 2 * n * k;  // of the weights, for every block of rows
  return work + roofline(target, 2 * m * n * k + decoding, peak, bytes);
}

}  // namespace narae::cpu
