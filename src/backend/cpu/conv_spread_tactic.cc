// SPDX-License-Identifier: Apache-2.0
// Transposed convolutions whose kernel is as large as their stride, with constant weights, into a plain result.
#include "backend/contraction_body.h"
#include "backend/cpu/conv_problem.h"
#include "backend/cpu/cost.h"
#include "backend/cpu/cpu_kernel.h"
#include "backend/cpu/tactics.h"
#include "base/error.h"
#include "kernels/cpu/conv_spread.h"
#include "ops/conv.h"

namespace narae::cpu {
namespace {

struct SpreadProblem {
  ContractionBody body;
  SpreadShape shape;
  size_t x = 0, weights = 0;
  int bias = -1;
};

bool all_are(const std::vector<int64_t>& values, int64_t value) {
  return std::all_of(values.begin(), values.end(), [&](int64_t v) { return v == value; });
}

std::optional<SpreadProblem> spread_problem(const Node& node, const NodeDims& dims) {
  const auto spans = [](const Dims& result) -> SpanOf {
    return [space = TileSpace{result, result.size() - 1}](const Dims& operand) { return tile_class(space, operand); };
  };
  std::optional<ContractionBody> body = contraction_body(node, dims, "conv_transpose", spans, 0, {.residual = false});
  if (!body || body->has_rest() || body->bias >= 0) return std::nullopt;
  const auto& a = body->anchor->attributes<ConvTransposeAttributes>();
  SpreadProblem problem;
  problem.x = static_cast<size_t>(body->operands[0]), problem.weights = static_cast<size_t>(body->operands[1]);
  if (body->operands.size() > 2) problem.bias = body->operands[2];
  const Dims &x = dims.inputs[problem.x], &w = dims.inputs[problem.weights], &y = body->result;
  if (x.size() < 3 || x.size() > 4 || !node.input(problem.weights)->is_constant()) return std::nullopt;
  const Dims kernel(w.begin() + 2, w.end());
  if (a.groups != 1 || a.strides != std::vector<int64_t>(kernel.begin(), kernel.end()) || !all_are(a.dilations, 1) ||
      !all_are(a.pads, 0) || !all_are(a.output_padding, 0) || element_count(y) == 0) {
    return std::nullopt;
  }
  const bool two = x.size() == 4;
  problem.shape = {x[0], x[1], two ? x[2] : 1, x.back(), y[1], two ? w[2] : 1, w.back()};
  problem.body = std::move(*body);
  return problem;
}

class SpreadKernel final : public CpuKernel {
 public:
  SpreadKernel(int threads, const Node& node, const SpreadProblem& problem, const BrgemmTiles& tiles)
      : CpuKernel(threads),
        plan_(make_spread_plan(problem.shape, tiles)),
        act_(kernel_act(problem.body)),
        x_(problem.x),
        weights_(problem.weights),
        output_(node.inputs().size()),
        bias_(problem.bias) {}

 protected:
  int64_t tasks() const override { return spread_tasks(plan_); }
  size_t scratch_bytes() const override { return static_cast<size_t>(spread_scratch(plan_)) * sizeof(float); }
  void run(std::span<void* const> operands, void* scratch, void*, int64_t begin, int64_t end) const override {
    const float* bias = bias_ < 0 ? nullptr : static_cast<const float*>(operands[static_cast<size_t>(bias_)]);
    spread_run(plan_, static_cast<const float*>(operands[x_]), static_cast<const float*>(operands[weights_]),
               static_cast<float*>(operands[output_]), {bias, act_.act, act_.lo, act_.hi}, static_cast<float*>(scratch),
               begin, end);
  }

 private:
  SpreadPlan plan_;
  KernelAct act_;
  size_t x_, weights_, output_;
  int bias_;
};

class ConvSpreadTactic final : public Tactic {
 public:
  explicit ConvSpreadTactic(CpuLevel level) : level_(std::move(level)), tiles_(brgemm_tiles(level_.isa)) {}
  const char* name() const override { return "conv_spread"; }

  void propose(const Node& node, const NodeDims& dims, const Target&, std::vector<Choice>& out) const override {
    if (node.outputs().size() != 1) return;
    const std::optional<SpreadProblem> problem = spread_problem(node, dims);
    if (!problem) return;
    Choice choice = plain_choice(this, node);
    choice.inputs[problem->x] = Layout::blocked(1, tiles_->lanes);
    const SpreadPlan plan = make_spread_plan(problem->shape, *tiles_);
    choice.packs[problem->weights] = fmt::format("spread {}x{}", spread_vectors(plan.columns, *tiles_), tiles_->lanes);
    out.push_back(std::move(choice));
  }

  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    const std::optional<SpreadProblem> problem = spread_problem(node, dims);
    require_covered(problem.has_value(), node);
    const SpreadShape& s = problem->shape;
    const auto columns = static_cast<double>(round_up(s.oc * s.kh * s.kw, tiles_->lanes));
    const auto pixels = static_cast<double>(s.n * s.ih * s.iw);
    const double runs = pixels * static_cast<double>(s.oc * s.kh);  // of kw elements each
    return roofline(target, 2 * pixels * columns * static_cast<double>(s.ic), 0.5, node_bytes(node, choice, dims)) +
           runs * 0.8e-9 / target.cores;
  }

  Tensor pack(const Node&, const Choice&, size_t, const Tensor& constant, const Target&) const override {
    const int64_t ic = constant.dims[0], columns = element_count(constant.dims) / std::max<int64_t>(1, ic);
    Tensor packed = Tensor::allocate(DType::f32, {spread_weights_size(ic, columns, *tiles_)});
    if (constant.data) spread_pack_weights(ic, columns, constant.as<float>(), *tiles_, packed.as<float>());
    return packed;
  }

  std::unique_ptr<Kernel> specialise(const Node& node, const Choice&, const NodeDims& dims, Device&) const override {
    const std::optional<SpreadProblem> problem = spread_problem(node, dims);
    require_covered(problem.has_value(), node);
    return std::make_unique<SpreadKernel>(level_.threads, node, *problem, *tiles_);
  }

 private:
  CpuLevel level_;
  const BrgemmTiles* tiles_;
};

}  // namespace

std::unique_ptr<Tactic> make_conv_spread_tactic(const CpuLevel& level) {
  return std::make_unique<ConvSpreadTactic>(level);
}

}  // namespace narae::cpu
