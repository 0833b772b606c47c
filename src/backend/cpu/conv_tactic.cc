// SPDX-License-Identifier: Apache-2.0
// Configs travel as text, `direct nv4 band7 oc2 ic8`; packed weights depend on algorithm and nv alone, so that several
// configs and all image sizes share one packed constant.
#include "backend/cpu/conv_tactic.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "backend/cpu/cost.h"
#include "backend/cpu/cpu_kernel.h"
#include "backend/operand_placement.h"
#include "base/error.h"

namespace narae::cpu {
namespace {

constexpr std::array<const char*, 4> algorithm_names = {"pointwise", "direct", "winograd2x2", "winograd4x4"};

std::string config_text(const ConvConfig& config) {
  return fmt::format("{} nv{} band{} oc{} ic{}", algorithm_names[static_cast<size_t>(config.algorithm)], config.nv,
                     config.band, config.oc_panels, config.ic_blocks);
}

ConvConfig parse_config(const std::string& text) {
  ConvConfig config;
  char name[32];
  long long band = 0, panels = 0, blocks = 0;
  if (std::sscanf(text.c_str(), "%31s nv%d band%lld oc%lld ic%lld", name, &config.nv, &band, &panels, &blocks) != 5) {
    fail(ErrorCode::bad_file, "a convolution's config cannot be read: \"{}\"", text);
  }
  config.band = band, config.oc_panels = panels, config.ic_blocks = blocks;
  for (size_t i = 0; i < algorithm_names.size(); ++i) {
    if (algorithm_names[i] == std::string_view(name)) config.algorithm = static_cast<ConvAlgorithm>(i);
  }
  return config;
}

std::string pack_text(const ConvConfig& config, const BrgemmTiles& tiles, const ConvShape& shape) {
  std::string text =
      fmt::format("{} {}x{}", algorithm_names[static_cast<size_t>(config.algorithm)], config.nv, tiles.lanes);
  if (shape.plain_input) text = "plain " + text;
  if (shape.groups > 1) text += fmt::format(" g{}", shape.groups);
  if (shape.transposed) {  // in the order of the output phases
    text += fmt::format(" transposed s{}x{} d{}x{} p{}x{}", shape.stride_h, shape.stride_w, shape.dilation_h,
                        shape.dilation_w, shape.pad_top, shape.pad_left);
  }
  return text;
}

class ConvKernel final : public CpuKernel {
 public:
  ConvKernel(int threads, const Node& node, const NodeDims& dims, ConvProblem problem, const ConvConfig& config,
             bool packed, const BrgemmTiles& tiles, const ScalarSteps& steps)
      : CpuKernel(threads),
        problem_(std::move(problem)),
        act_(kernel_act(problem_.body)),
        packed_(packed),
        output_(node.inputs().size()) {
    plan_ = make_conv_plan(problem_.shape, config, tiles);
    scratch_floats_ = round_up(conv_scratch(plan_), 16);
    if (problem_.body.has_rest()) {
      epilogue_.emplace(problem_.body, dims, problem_.space, steps, tiles.lanes);
      if (epilogue_->error()) fail(ErrorCode::internal, "{}: {}", node.label(), epilogue_->error());
    }
  }

 protected:
  int64_t tasks() const override { return conv_tasks(plan_); }
  size_t scratch_bytes() const override {
    return static_cast<size_t>(scratch_floats_) * sizeof(float) + (epilogue_ ? epilogue_->scratch_bytes() : 0);
  }
  size_t shared_bytes() const override {
    return packed_ ? 0 : static_cast<size_t>(conv_weights_size(plan_)) * sizeof(float);
  }
  void begin(std::span<void* const> operands, void* shared) const override {
    if (!packed_) conv_pack_weights(plan_, at(operands, problem_.weights), static_cast<float*>(shared));
  }
  void run(std::span<void* const> operands, void* scratch, void* shared, int64_t begin, int64_t end) const override {
    EpilogueCall call{epilogue_ ? &*epilogue_ : nullptr, operands, static_cast<float*>(scratch) + scratch_floats_};
    ConvEpilogue epilogue;
    if (problem_.bias >= 0) epilogue.bias = at(operands, problem_.bias);
    if (problem_.body.residual >= 0) epilogue.residual = at(operands, problem_.body.residual);
    epilogue.act = act_.act, epilogue.lo = act_.lo, epilogue.hi = act_.hi;
    epilogue.after = call.callback();
    const float* weights = packed_ ? at(operands, problem_.weights) : static_cast<const float*>(shared);
    conv_run(plan_, at(operands, problem_.x), weights, static_cast<float*>(operands[output_]), epilogue,
             static_cast<float*>(scratch), begin, end);
  }

 private:
  static const float* at(std::span<void* const> operands, int i) {
    return static_cast<const float*>(operands[static_cast<size_t>(i)]);
  }
  ConvProblem problem_;
  KernelAct act_;
  bool packed_;
  size_t output_;
  ConvPlan plan_;
  int64_t scratch_floats_ = 0;
  std::optional<TileEpilogue> epilogue_;
};

}  // namespace

ConvTactic::ConvTactic(CpuLevel level)
    : level_(std::move(level)), tiles_(brgemm_tiles(level_.isa)), steps_(scalar_steps(level_.isa)) {}

void ConvTactic::propose(const Node& node, const NodeDims& dims, const Target& target, std::vector<Choice>& out) const {
  offer(node, dims, target, false, out);
  if (takes_plain_input()) offer(node, dims, target, true, out);
}

void ConvTactic::offer(const Node& node, const NodeDims& dims, const Target& target, bool plain,
                       std::vector<Choice>& out) const {
  const std::optional<ConvProblem> problem = conv_problem(node, dims, op(), tiles_->lanes, plain);
  if (!problem || (plain && problem->shape.ic > tiles_->lanes / 2)) return;
  std::optional<Choice> base;
  for (const ConvConfig& config : conv_configs(problem->shape, *tiles_, cache_sizes(target), level_.threads)) {
    if (!takes(problem->shape, config)) continue;
    if (!base) {
      if (problem->body.has_rest() &&
          TileEpilogue(problem->body, dims, problem->space, *steps_, tiles_->lanes).error()) {
        return;
      }
      base = conv_choice(this, node, dims, *problem);
    }
    Choice choice = *base;
    choice.config = config_text(config);
    const auto w = static_cast<size_t>(problem->weights);
    if (node.input(w)->is_constant()) choice.packs[w] = pack_text(config, *tiles_, problem->shape);
    out.push_back(std::move(choice));
  }
}

double ConvTactic::estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const {
  const ConvConfig config = parse_config(choice.config);
  std::optional<ConvProblem> problem = conv_problem(node, dims, op(), tiles_->lanes, false);
  NARAE_CHECK(problem);
  problem->shape.plain_input = choice.inputs[static_cast<size_t>(problem->x)].is_plain();
  const ConvShape& shape = problem->shape;
  const Cost cost = this->cost(*problem, config);
  // Lanes that stand for no channel are computed all the same.
  const double lanes = tiles_->lanes;
  const auto filled = [&](int64_t channels) {
    const double own = static_cast<double>(channels) / static_cast<double>(shape.groups);
    return std::ceil(own / lanes) * lanes / own;
  };
  double flops = problem->flops() * cost.flops_factor * filled(shape.oc);
  if (!shape.plain_input) flops *= filled(shape.ic);
  const auto elements = static_cast<double>(problem->out.stored_count(problem->body.result));
  double seconds = roofline(target, flops, cost.efficiency, node_bytes(node, choice, dims) + cost.extra_bytes);
  seconds += cost.cache_bytes / (target.l2_bytes_per_s * target.cores);
  if (problem->body.has_rest()) {
    seconds += elements * scalar_program_flops(problem->body.rest) / (target.fma_flops * 0.125 * target.cores);
  }
  if (!node.input(static_cast<size_t>(problem->weights))->is_constant()) {
    seconds += 4e-9 * static_cast<double>(element_count(dims.inputs[static_cast<size_t>(problem->weights)]));
  }
  return seconds;
}

Tensor ConvTactic::pack(const Node& node, const Choice& choice, size_t input, const Tensor& constant,
                        const Target&) const {
  const bool plain = choice.packs[input].rfind("plain", 0) == 0;
  const ConvShape shape = packing_shape(*contraction_anchor(node, op()), constant.dims, plain);
  const ConvPlan plan = make_conv_plan(shape, parse_config(choice.config), *tiles_);
  Tensor packed = Tensor::allocate(DType::f32, {conv_weights_size(plan)});
  conv_pack_weights(plan, constant.as<float>(), packed.as<float>());
  return packed;
}

std::unique_ptr<Kernel> ConvTactic::specialise(const Node& node, const Choice& choice, const NodeDims& dims,
                                               Device&) const {
  const bool plain =
      choice.inputs[static_cast<size_t>(conv_problem(node, dims, op(), tiles_->lanes, false).value().x)].is_plain();
  std::optional<ConvProblem> problem = conv_problem(node, dims, op(), tiles_->lanes, plain);
  const bool packed = !choice.packs[static_cast<size_t>(problem->weights)].empty();
  return std::make_unique<ConvKernel>(level_.threads, node, dims, std::move(*problem), parse_config(choice.config),
                                      packed, *tiles_, *steps_);
}

}  // namespace narae::cpu
