// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/conv_tactic.h"

#include "base/error.h"

namespace narae::cpu {

ConvTactic::ConvTactic(CpuLevel level)
    : level_(std::move(level)), tiles_(brgemm_tiles(level_.isa)), steps_(scalar_steps(level_.isa)) {}

void ConvTactic::propose(const Node& node, const NodeDims& dims, const Target& target, std::vector<Choice>& out) const {
  if (node.outputs().size() != 1) return;
  offer(node, dims, target, false, out);
  if (takes_plain_input()) offer(node, dims, target, true, out);
}

void ConvTactic::offer(const Node& node, const NodeDims& dims, const Target& target, bool plain,
                       std::vector<Choice>& out) const {
  const std::optional<ConvProblem> problem = conv_problem(node, dims, op(), tiles_->lanes, plain);
  if (!problem || (plain && problem->shape.ic > tiles_->lanes / 2)) return;
  bool checked = false;
  for (const ConvConfig& config : conv_configs(problem->shape, *tiles_, cache_sizes(target), level_.threads)) {
    if (!takes(config)) continue;
    if (!checked && problem->body.has_rest() &&
        TileEpilogue(problem->body, dims, problem->space, *steps_, tiles_->lanes).error()) {
      return;
    }
    checked = true;
    Choice choice = plain_choice(this, node, conv_config_text(config));
    place_conv(*problem, dims, choice);
    if (node.input(problem->weights)->is_constant()) {
      choice.packs[problem->weights] = conv_pack_text(config, *tiles_, problem->shape);
    }
    out.push_back(std::move(choice));
  }
}

ConvProblem ConvTactic::chosen(const Node& node, const Choice& choice, const NodeDims& dims) const {
  return chosen_conv(node, choice, dims, op(), tiles_->lanes);
}

double ConvTactic::estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const {
  const ConvProblem problem = chosen(node, choice, dims);
  return conv_seconds(problem, parse_conv_config(choice.config), dims, !choice.packs[problem.weights].empty(), *tiles_,
                      target);
}

Tensor ConvTactic::pack(const Node& node, const Choice& choice, size_t input, const Tensor& constant,
                        const Target&) const {
  return pack_conv(*contraction_anchor(node, op()), parse_conv_config(choice.config), choice.packs[input], constant,
                   *tiles_);
}

std::unique_ptr<Kernel> ConvTactic::specialise(const Node& node, const Choice& choice, const NodeDims& dims,
                                               Device&) const {
  ConvProblem problem = chosen(node, choice, dims);
  const bool packed = !choice.packs[problem.weights].empty();
  return make_conv_kernel(level_.threads, node, dims, std::move(problem), parse_conv_config(choice.config), packed,
                          *tiles_, *steps_);
}

}  // namespace narae::cpu
