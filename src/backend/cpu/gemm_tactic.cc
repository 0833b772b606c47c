// SPDX-License-Identifier: Apache-2.0
// Products with a constant right operand, packed at load. Few rows (one token, one picture) go the same way.
#include "backend/cpu/conv_problem.h"
#include "backend/cpu/gemm_problem.h"
#include "backend/cpu/tactics.h"
#include "base/error.h"

namespace narae::cpu {
namespace {

class GemmTactic final : public Tactic {
 public:
  explicit GemmTactic(CpuLevel level)
      : level_(std::move(level)), tiles_(brgemm_tiles(level_.isa)), steps_(scalar_steps(level_.isa)) {}
  const char* name() const override { return "gemm"; }

  void propose(const Node& node, const NodeDims& dims, const Target& target, std::vector<Choice>& out) const override {
    if (node.outputs().size() != 1) return;
    const std::optional<GemmProblem> problem = gemm_problem(node, dims);
    if (!problem) return;
    for (const GemmConfig& config : gemm_configs(problem->shape, *tiles_, cache_sizes(target), level_.threads)) {
      if (problem->body.has_rest() &&
          TileEpilogue(problem->body, dims, problem->space, *steps_, config.nv * tiles_->lanes).error()) {
        return;
      }
      Choice choice = plain_choice(this, node, gemm_config_text(config));
      choice.packs[problem->b] = gemm_pack_text(*problem, config, *tiles_);
      out.push_back(std::move(choice));
    }
  }

  double estimate(const Node& node, const Choice&, const NodeDims& dims, const Target& target) const override {
    const std::optional<GemmProblem> problem = gemm_problem(node, dims);
    require_covered(problem.has_value(), node);
    return gemm_seconds(*problem, dims, *tiles_, target);
  }

  Tensor pack(const Node& node, const Choice& choice, size_t, const Tensor& constant, const Target&) const override {
    return pack_gemm(*contraction_anchor(node, "matmul"), parse_gemm_config(choice.config), constant, *tiles_);
  }

  std::unique_ptr<Kernel> specialise(const Node& node, const Choice& choice, const NodeDims& dims,
                                     Device&) const override {
    std::optional<GemmProblem> problem = gemm_problem(node, dims);
    require_covered(problem.has_value(), node);
    return make_gemm_kernel(level_.threads, node, dims, std::move(*problem), parse_gemm_config(choice.config), *tiles_,
                            *steps_);
  }

 private:
  CpuLevel level_;
  const BrgemmTiles* tiles_;
  const ScalarSteps* steps_;
};

}  // namespace

std::unique_ptr<Tactic> make_gemm_tactic(const CpuLevel& level) { return std::make_unique<GemmTactic>(level); }

}  // namespace narae::cpu
