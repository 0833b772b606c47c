// SPDX-License-Identifier: Apache-2.0
// Attention bodies of encoders: one launch, by the strides of the transposes in the body. What is added to the scores
// may broadcast along any axis; nothing else may happen to them.
#include "backend/attention_body.h"
#include "backend/cuda/own_kernel.h"
#include "backend/cuda/product.h"
#include "backend/cuda/tactics.h"
#include "backend/operand_placement.h"
#include "kernels/cuda/dense_attention.h"

namespace narae::cuda {
namespace {

constexpr int64_t widest = 256, most_images = 65535;

struct DenseProblem {
  DenseAttentionArgs args;
  size_t q = 0, k = 0, v = 0;
  int bias = -1;  // node operand
};

// The operand of the scores' node that is added to them after the scale; -1: none. Empty: something else is done.
std::optional<int> added(const ContractionBody& scores) {
  if (scores.act || scores.residual >= 0) return std::nullopt;
  if (!scores.has_rest()) return scores.bias;
  const std::vector<ScalarInstr>& steps = scores.rest.body;
  const bool adds =
      scores.bias < 0 && steps.size() == 1 && steps[0].op == ScalarOp::add && steps[0].a + steps[0].b == 1;
  if (!adds || scores.rest.outputs[0].reg != steps[0].dst) return std::nullopt;
  return scores.rest_operands[1];
}

AttentionStrides strides_of(const AttentionView& view, size_t rank) {
  AttentionStrides strides;
  strides.batch = rank > 3 ? view.batch_stride(rank - 4, rank) : 0;
  strides.head = rank > 2 ? view.batch_stride(rank - 3, rank) : 0;
  strides.token = view.row_stride();
  return strides;
}

std::optional<DenseProblem> dense_problem(const Node& node, const NodeDims& dims) {
  const auto spans = [](const Dims& scores) -> SpanOf {
    return [scores](const Dims& operand) { return product_span(scores, operand, -1); };
  };
  const std::optional<AttentionBody> body = attention_body(node, dims, spans, true);
  if (!body || !body->q.dense_columns() || !body->k.dense_columns() || !body->v.dense_columns() ||
      !body->out.dense_columns()) {
    return std::nullopt;
  }
  const Dims& scores = body->scores.result;
  const size_t rank = scores.size();
  const std::optional<int> bias = added(body->scores);
  if (rank > 4 || !bias || element_count(scores) == 0 || element_count(body->out.dims) == 0) return std::nullopt;
  DenseProblem problem;
  DenseAttentionArgs& args = problem.args;
  args.type = body->type;
  args.batch = rank > 3 ? scores[rank - 4] : 1, args.heads = rank > 2 ? scores[rank - 3] : 1;
  args.queries = scores[rank - 2], args.keys = scores[rank - 1];
  args.width = body->q.dims.back(), args.value_width = body->out.dims.back(), args.scale = body->scale;
  if (args.width == 0 || args.width > widest || args.value_width > widest || args.batch * args.heads > most_images)
    return std::nullopt;
  args.q_strides = strides_of(body->q, rank), args.k_strides = strides_of(body->k, rank);
  args.v_strides = strides_of(body->v, rank), args.out_strides = strides_of(body->out, rank);
  problem.q = body->q.operand, problem.k = body->k.operand, problem.v = body->v.operand;
  if (*bias < 0) return problem;
  problem.bias = body->score_operands[static_cast<size_t>(*bias)];
  args.bias_type = node.input(static_cast<size_t>(problem.bias))->dtype();
  if (args.bias_type != DType::f32 && !is_narrow(args.bias_type)) return std::nullopt;
  const std::vector<int64_t> along =
      operand_strides(dims.inputs[static_cast<size_t>(problem.bias)], scores, Layout::plain());
  args.bias_key = along[rank - 1], args.bias_query = along[rank - 2];
  args.bias_head = rank > 2 ? along[rank - 3] : 0, args.bias_batch = rank > 3 ? along[rank - 4] : 0;
  return problem;
}

class DenseAttentionTactic final : public Tactic {
 public:
  const char* name() const override { return "attention"; }

  void propose(const Node& node, const NodeDims& dims, const Target&, std::vector<Choice>& out) const override {
    if (dense_problem(node, dims)) out.push_back(plain_choice(this, node));
  }
  // The matrix units give it a quarter of what they can; without them a key is read for every 8 queries.
  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    const std::optional<DenseProblem> problem = dense_problem(node, dims);
    if (!problem) return 1;
    const DenseAttentionArgs& a = problem->args;
    const double flops = 2 * static_cast<double>(a.batch * a.heads * a.queries) *
                         static_cast<double>(a.keys * (a.width + a.value_width));
    const bool tiles = a.type != DType::f32 && a.width == a.value_width && (a.width == 64 || a.width == 128);
    const double peak = target.fma_flops * target.cores * (tiles ? 2 : 0.05);
    return launch_seconds(target, flops, peak, node_bytes(node, choice, dims));
  }
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice&, const NodeDims& dims, Device&) const override {
    const std::optional<DenseProblem> problem = dense_problem(node, dims);
    if (!problem) fail(ErrorCode::does_not_fit, "these sizes are no attention of the kernel's");
    const size_t result = node.inputs().size();
    return std::make_unique<OwnKernel<DenseAttentionArgs>>(
        dense_attention, problem->args, "attention",
        [p = *problem, result](DenseAttentionArgs& a, std::span<void* const> operands, void*) {
          a.q = operands[p.q], a.k = operands[p.k], a.v = operands[p.v], a.out = operands[result];
          a.bias = at(operands, p.bias);
        });
  }
};

}  // namespace

std::unique_ptr<Tactic> make_dense_attention_tactic(const CudaLevel&) {
  return std::make_unique<DenseAttentionTactic>();
}

}  // namespace narae::cuda
