// SPDX-License-Identifier: Apache-2.0
// Convolutions by cuDNN. Types of 16 bits and TF32 run with channels last, padded to whole vectors where the picture
// has three; exact f32 stays in rows and columns as it is.
#include <optional>

#include "backend/cuda/conv_plan.h"
#include "backend/cuda/cuda_error.h"
#include "backend/cuda/cuda_stream.h"
#include "backend/cuda/product.h"
#include "backend/cuda/tactics.h"
#include "backend/operand_placement.h"
#include "base/error.h"
#include "ops/conv.h"

namespace narae::cuda {
namespace {

constexpr size_t plans_offered = 2;  // of each kind: to build one may take a second
constexpr const char *fused_name = "fused", *alone_name = "alone";

bool is_fused(const Choice& choice) { return choice.config.rfind(fused_name, 0) == 0; }

struct Problem {
  ContractionBody body;
  ConvProblem conv;
  int channel_block = 0;  // of x, and of w's second axis; 0: plain
  int result_block = 0;
};

int rounded(int64_t channels, int unit) { return static_cast<int>((channels + unit - 1) / unit * unit); }

// A row of values is a picture one row high.
void make_flat(ConvProblem& conv) {
  for (Dims* dims : {&conv.x, &conv.w, &conv.y}) dims->insert(dims->begin() + 2, 1);
  for (std::vector<int64_t>* list : {&conv.strides, &conv.dilations}) list->insert(list->begin(), 1);
  for (std::vector<int64_t>* list : {&conv.pads_before, &conv.pads_after}) list->insert(list->begin(), 0);
}

// The activation, where the library has it too.
void take_act(ContractionBody& body, ConvProblem& conv) {
  if (body.act && body.act->op == ScalarOp::relu) conv.act = ScalarOp::relu;
  if (body.act && body.act->op == ScalarOp::clip && body.act->imm[0] == 0) {
    conv.act = ScalarOp::clip;
    conv.act_limit = body.act->imm[1];
  }
  const std::vector<ScalarInstr>& rest = body.rest.body;
  if (!body.act && body.has_rest() && rest.size() == 1 && rest[0].op == ScalarOp::silu) {
    conv.act = ScalarOp::silu;
    body.rest = {};
    body.rest_operands.clear();
  }
}

// "fused": bias, residual and relu in the library's kernel; "alone": the convolution only, the rest behind it.
std::optional<Problem> conv_problem(const Node& node, const NodeDims& dims, bool tf32, bool fused) {
  if (node.outputs().size() != 1 || !contraction_anchor(node, "conv")) return std::nullopt;
  std::optional<ContractionBody> body = product_body(node, dims, "conv", 1);
  if (!body || body->scale != 1) return std::nullopt;
  const auto& a = body->anchor->attributes<ConvAttributes>();
  Problem problem;
  ConvProblem& conv = problem.conv;
  const auto value = [&](int i) { return node.input(static_cast<size_t>(i)); };
  conv.type = value(body->operands[0])->dtype();
  conv.result = node.output(0)->dtype();
  conv.x = dims.inputs[static_cast<size_t>(body->operands[0])];
  conv.w = dims.inputs[static_cast<size_t>(body->operands[1])];
  conv.y = body->result;
  if (value(body->operands[1])->dtype() != conv.type || conv.type != conv.result) return std::nullopt;
  for (const Dims* d : {&conv.x, &conv.w, &conv.y}) {
    if (element_count(*d) == 0) return std::nullopt;
  }
  const size_t spatial = a.strides.size();
  conv.strides = a.strides, conv.dilations = a.dilations;
  conv.pads_before.assign(a.pads.begin(), a.pads.begin() + static_cast<ptrdiff_t>(spatial));
  conv.pads_after.assign(a.pads.begin() + static_cast<ptrdiff_t>(spatial), a.pads.end());
  const bool has_bias = body->operands.size() > 2 && body->operands[2] >= 0;
  if (has_bias) body->bias = body->operands[2];
  conv.bias = fused && body->bias >= 0;
  conv.residual = fused && body->residual >= 0;
  if (fused) take_act(*body, conv);
  if (fused && !conv.bias && !conv.residual && conv.act == ScalarOp::copy) return std::nullopt;  // the same as alone
  for (const int operand : {body->bias, body->residual}) {
    if (fused && operand >= 0 && value(operand)->dtype() != conv.result) return std::nullopt;
  }
  conv.tf32 = tf32 && conv.type == DType::f32;
  conv.channels_last = (conv.type != DType::f32 || tf32) && spatial <= 3;
  if (conv.channels_last) {
    const int unit = conv.type == DType::f32 ? 4 : 8;
    problem.channel_block = a.groups == 1 ? rounded(conv.x[1], unit) : static_cast<int>(conv.x[1]);
    problem.result_block = static_cast<int>(conv.y[1]);
    if (a.groups == 1) conv.x[1] = conv.w[1] = problem.channel_block;
  }
  if (spatial == 1) make_flat(conv);
  problem.body = std::move(*body);
  return problem;
}

class ConvKernel final : public Kernel {
 public:
  ConvKernel(const CudaLevel& level, const Node& node, const NodeDims& dims, const Problem& problem,
             std::shared_ptr<const ConvPlan> plan, const Layout& layout)
      : level_(level),
        body_(problem.body),
        result_(node.inputs().size()),
        plan_(std::move(plan)),
        tail_(*level.texts, node, dims, problem.body,
              {problem.conv.bias, problem.conv.residual, problem.conv.act != ScalarOp::copy}, layout, 1) {}
  size_t workspace_bytes() const override { return plan_->workspace_bytes(); }
  void launch(Stream& stream, std::span<void* const> operands, void* workspace) const override {
    const auto at = [&](int i) -> void* { return i < 0 ? nullptr : operands[static_cast<size_t>(i)]; };
    void* result = operands[result_];
    plan_->run({at(body_.operands[0]), at(body_.operands[1]), at(body_.bias), at(body_.residual), result}, workspace,
               handle_of(stream));
    tail_.launch(handle_of(stream), operands, result);
  }

 private:
  CudaLevel level_;  // keeps the library
  ContractionBody body_;
  size_t result_;
  std::shared_ptr<const ConvPlan> plan_;
  ProductTail tail_;
};

class ConvTactic final : public Tactic {
 public:
  explicit ConvTactic(CudaLevel level) : level_(std::move(level)) {}
  const char* name() const override { return "cudnn"; }

  void propose(const Node& node, const NodeDims& dims, const Target&, std::vector<Choice>& out) const override {
    if (!level_.convs->available() || !level_.texts->available() || level_.deterministic) return;
    if (!contraction_anchor(node, "conv")) return;
    check(cudaSetDevice(level_.ordinal), "choosing the device");
    for (const bool fused : {true, false}) {
      const std::optional<Problem> problem = conv_problem(node, dims, level_.tf32, fused);
      if (!problem || !level_.convs->get(problem->conv, 0)) continue;
      for (size_t i = 0; i < plans_offered; ++i) {
        Choice choice = plain_choice(this, node, fmt::format("{}{}", fused ? fused_name : alone_name, i));
        if (problem->conv.channels_last) place(node, dims, *problem, choice);
        out.push_back(std::move(choice));
      }
    }
  }
  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    const std::optional<Problem> p = conv_problem(node, dims, level_.tf32, is_fused(choice));
    if (!p) return 1;
    const double each = static_cast<double>(element_count(p->conv.w)) / static_cast<double>(p->conv.w[0]);
    const double flops = 2.0 * static_cast<double>(element_count(p->conv.y)) * each;
    const double peak = target.fma_flops * target.cores * (p->conv.type != DType::f32 ? 8 : level_.tf32 ? 4 : 1);
    const double rank = choice.config.back() - '0';
    double seconds = launch_seconds(target, flops, 0.4 * peak, node_bytes(node, choice, dims)) * (1 + 0.01 * rank);
    if (!is_fused(choice) && (p->body.bias >= 0 || p->body.act)) {
      seconds += launch_seconds(target, 0, 1, 8.0 * static_cast<double>(element_count(p->conv.y)));
    }
    return seconds;
  }
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice& choice, const NodeDims& dims,
                                     Device&) const override {
    const std::optional<Problem> problem = conv_problem(node, dims, level_.tf32, is_fused(choice));
    if (!problem) fail(ErrorCode::does_not_fit, "these sizes are no convolution of cuDNN's");
    check(cudaSetDevice(level_.ordinal), "choosing the device");
    auto plan = level_.convs->get(problem->conv, static_cast<size_t>(choice.config.back() - '0'));
    if (!plan) fail(ErrorCode::does_not_fit, "cuDNN has no {} for this convolution", choice.config);
    return std::make_unique<ConvKernel>(level_, node, dims, *problem, std::move(plan), choice.outputs[0]);
  }

 private:
  static void place(const Node& node, const NodeDims& dims, const Problem& problem, Choice& choice) {
    const Layout result = Layout::blocked(1, problem.result_block);
    choice.outputs[0] = result;
    const ContractionBody& body = problem.body;
    choice.inputs[static_cast<size_t>(body.operands[0])] = Layout::blocked(1, problem.channel_block);
    const bool whole = body.anchor->attributes<ConvAttributes>().groups == 1;
    const auto w = static_cast<size_t>(body.operands[1]);
    choice.inputs[w] = Layout::blocked(1, whole ? problem.channel_block : static_cast<int>(dims.inputs[w][1]));
    place_tail(dims, body, choice);
  }

  CudaLevel level_;
};

}  // namespace

std::unique_ptr<Tactic> make_conv_tactic(const CudaLevel& level) { return std::make_unique<ConvTactic>(level); }

}  // namespace narae::cuda
