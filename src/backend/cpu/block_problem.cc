// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/block_problem.h"

#include "backend/cpu/conv_problem.h"
#include "backend/cpu/cost.h"
#include "ops/dequantize_blocks.h"
#include "ops/matmul.h"

namespace narae::cpu {

std::optional<BlockProblem> block_problem(const Node& node, const NodeDims& dims, size_t part) {
  const Node* anchor = contraction_anchor(node, "matmul", part);
  if (!anchor || anchor->attributes<MatmulAttributes>().transpose_a) return std::nullopt;
  if (!anchor->attributes<MatmulAttributes>().transpose_b) return std::nullopt;
  const auto spans = [&](const Dims& result) -> SpanOf {
    return [space = TileSpace{result, 0, false, 1}](const Dims& operand) { return tile_class(space, operand); };
  };
  std::optional<ContractionBody> body = contraction_body(node, dims, "matmul", spans, part, {false, true, true});
  if (!body) return std::nullopt;
  BlockProblem problem;
  problem.part = part;
  problem.a = static_cast<size_t>(body->operands[0]), problem.blocks = static_cast<size_t>(body->operands[1]);
  if (!node.input(problem.blocks)->is_constant()) return std::nullopt;
  const Dims& blocks = dims.inputs[problem.blocks];
  const BlockFormatInfo& info =
      block_format_info(block_format_from_name(body->decoder->attributes<DequantizeBlocksAttributes>().format));
  problem.shape.form = block_form(info.format);
  problem.shape.n = body->result.back();
  problem.shape.k = blocks.back() / info.bytes * info.values;
  if (problem.shape.n == 0 || problem.shape.k == 0) return std::nullopt;
  if (element_count(blocks) != problem.shape.n * blocks.back()) return std::nullopt;  // one matrix for all
  problem.shape.m = element_count(body->result) / problem.shape.n;
  if (problem.shape.m == 0) return std::nullopt;
  problem.space = {body->result, 0, false, 1};
  problem.body = std::move(*body);
  return problem;
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
