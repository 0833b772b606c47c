// SPDX-License-Identifier: Apache-2.0
// Bodies of several contractions on one input: all run as one task range, each with its own epilogue, result and
// packed weights, while the input is in cache.
#include <algorithm>

#include "backend/cpu/conv_problem.h"
#include "backend/cpu/cost.h"
#include "backend/cpu/gemm_problem.h"
#include "backend/cpu/tactics.h"
#include "base/error.h"

namespace narae::cpu {
namespace {

bool is_winograd(const ConvConfig& config) { return config.algorithm >= ConvAlgorithm::winograd2x2; }

// Configs of the parts, `one | two | three`.
std::vector<std::string> split_config(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == '|') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

class HorizontalTactic final : public Tactic {
 public:
  explicit HorizontalTactic(CpuLevel level)
      : level_(std::move(level)), tiles_(brgemm_tiles(level_.isa)), steps_(scalar_steps(level_.isa)) {}
  const char* name() const override { return "horizontal"; }

  void propose(const Node& node, const NodeDims& dims, const Target& target, std::vector<Choice>& out) const override {
    if (!node.is("fused") || node.outputs().size() < 2) return;
    if (contraction_anchor(node, "matmul")) {
      offer_products(node, dims, target, out);
    } else if (contraction_anchor(node, "conv")) {
      offer_convolutions(node, dims, target, false, false, out);
      offer_convolutions(node, dims, target, false, true, out);
      offer_convolutions(node, dims, target, true, false, out);
    }
  }

  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    const std::vector<std::string> configs = split_config(choice.config);
    double seconds = 0;
    for (size_t part = 0; part < configs.size(); ++part) {
      if (contraction_anchor(node, "matmul", part)) {
        const std::optional<GemmProblem> problem = gemm_problem(node, dims, part);
        require_covered(problem.has_value(), node);
        seconds += gemm_seconds(*problem, dims, *tiles_, target);
      } else {
        const ConvProblem problem = convolution(node, choice, dims, part);
        seconds += conv_seconds(problem, parse_conv_config(configs[part]), dims, true, *tiles_, target);
      }
    }
    // One launch, and the input comes from memory once.
    const double input = static_cast<double>(element_count(dims.inputs[0])) * 4;
    const auto others = static_cast<double>(configs.size() - 1);
    return std::max(launch_seconds, seconds - others * (launch_seconds + 0.25 * input / bandwidth(target, input)));
  }

  Tensor pack(const Node& node, const Choice& choice, size_t input, const Tensor& constant,
              const Target&) const override {
    const std::vector<std::string> configs = split_config(choice.config);
    const Value* inner = node.bodies()[0]->inputs()[input];
    for (size_t part = 0; part < configs.size(); ++part) {
      const Node* product = contraction_anchor(node, "matmul", part);
      const Node* convolution = contraction_anchor(node, "conv", part);
      if (product && product->input(1) == inner) {
        return pack_gemm(*product, parse_gemm_config(configs[part]), constant, *tiles_);
      }
      if (convolution && convolution->input(1) == inner) {
        return pack_conv(*convolution, parse_conv_config(configs[part]), choice.packs[input], constant, *tiles_);
      }
    }
    return Tactic::pack(node, choice, input, constant, {});
  }

  std::unique_ptr<Kernel> specialise(const Node& node, const Choice& choice, const NodeDims& dims,
                                     Device&) const override {
    const std::vector<std::string> configs = split_config(choice.config);
    std::vector<std::unique_ptr<CpuKernel>> parts;
    for (size_t part = 0; part < configs.size(); ++part) {
      if (contraction_anchor(node, "matmul", part)) {
        std::optional<GemmProblem> problem = gemm_problem(node, dims, part);
        require_covered(problem.has_value(), node);
        parts.push_back(make_gemm_kernel(level_.threads, node, dims, std::move(*problem),
                                         parse_gemm_config(configs[part]), *tiles_, *steps_));
      } else {
        parts.push_back(make_conv_kernel(level_.threads, node, dims, convolution(node, choice, dims, part),
                                         parse_conv_config(configs[part]), true, *tiles_, *steps_));
      }
    }
    return std::make_unique<CpuKernelGroup>(level_.threads, std::move(parts));
  }

 private:
  ConvProblem convolution(const Node& node, const Choice& choice, const NodeDims& dims, size_t part) const {
    return chosen_conv(node, choice, dims, "conv", tiles_->lanes, part);
  }

  // A weight operand can have one packed form only.
  static bool set_pack(Choice& choice, const Node& node, size_t operand, const std::string& form) {
    if (!node.input(operand)->is_constant()) return false;
    if (!choice.packs[operand].empty() && choice.packs[operand] != form) return false;
    choice.packs[operand] = form;
    return true;
  }

  void offer_products(const Node& node, const NodeDims& dims, const Target& target, std::vector<Choice>& out) const {
    Choice choice = plain_choice(this, node);
    for (size_t part = 0; part < node.outputs().size(); ++part) {
      const std::optional<GemmProblem> problem = gemm_problem(node, dims, part);
      if (!problem) return;
      const GemmConfig config = gemm_configs(problem->shape, *tiles_, cache_sizes(target), level_.threads).front();
      if (problem->body.has_rest() &&
          TileEpilogue(problem->body, dims, problem->space, *steps_, config.nv * tiles_->lanes).error()) {
        return;
      }
      if (!set_pack(choice, node, problem->b, gemm_pack_text(*problem, config, *tiles_))) return;
      choice.config += (part ? "|" : "") + gemm_config_text(config);
    }
    out.push_back(std::move(choice));
  }

  void offer_convolutions(const Node& node, const NodeDims& dims, const Target& target, bool plain, bool winograd,
                          std::vector<Choice>& out) const {
    Choice choice = plain_choice(this, node);
    for (size_t part = 0; part < node.outputs().size(); ++part) {
      const std::optional<ConvProblem> problem = conv_problem(node, dims, "conv", tiles_->lanes, plain, part);
      if (!problem || (plain && problem->shape.ic > tiles_->lanes / 2)) return;
      const std::vector<ConvConfig> configs =
          conv_configs(problem->shape, *tiles_, cache_sizes(target), level_.threads);
      const auto config =
          std::find_if(configs.begin(), configs.end(), [&](const ConvConfig& c) { return is_winograd(c) == winograd; });
      if (config == configs.end()) return;
      if (problem->body.has_rest() &&
          TileEpilogue(problem->body, dims, problem->space, *steps_, tiles_->lanes).error()) {
        return;
      }
      place_conv(*problem, dims, choice);
      if (!set_pack(choice, node, problem->weights, conv_pack_text(*config, *tiles_, problem->shape))) return;
      choice.config += (part ? "|" : "") + conv_config_text(*config);
    }
    out.push_back(std::move(choice));
  }

  CpuLevel level_;
  const BrgemmTiles* tiles_;
  const ScalarSteps* steps_;
};

}  // namespace

std::unique_ptr<Tactic> make_horizontal_tactic(const CpuLevel& level) {
  return std::make_unique<HorizontalTactic>(level);
}

}  // namespace narae::cpu
