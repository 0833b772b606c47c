// SPDX-License-Identifier: Apache-2.0
// Winograd 3x3: fewer multiplications, more traffic and a larger error (winograd.h states it).
#include <cmath>

#include "backend/cpu/conv_tactic.h"

namespace narae::cpu {
namespace {

class ConvWinogradTactic final : public ConvTactic {
 public:
  using ConvTactic::ConvTactic;
  const char* name() const override { return "conv_winograd"; }

 protected:
  bool takes(const ConvShape&, const ConvConfig& config) const override {
    return config.algorithm == ConvAlgorithm::winograd2x2 || config.algorithm == ConvAlgorithm::winograd4x4;
  }
  Cost cost(const ConvProblem& problem, const ConvConfig& config) const override {
    const ConvShape& s = problem.shape;
    const double m = config.algorithm == ConvAlgorithm::winograd4x4 ? 4 : 2, points = (m + 2) * (m + 2);
    const double tiles = std::ceil(static_cast<double>(s.oh) / m) * std::ceil(static_cast<double>(s.ow) / m);
    Cost cost;
    cost.efficiency = 0.65;
    cost.flops_factor = points * tiles / (9.0 * static_cast<double>(s.oh * s.ow));
    cost.extra_bytes = static_cast<double>(s.ic * s.oc) * (points - 9) * 4;  // of the transformed weights
    // Transformed input and products are written and read once more.
    cost.cache_bytes = static_cast<double>(s.n * (s.ic + s.oc)) * tiles * points * 2 * 4;
    return cost;
  }
};

}  // namespace

std::unique_ptr<Tactic> make_conv_winograd_tactic(const CpuLevel& level) {
  return std::make_unique<ConvWinogradTactic>(level);
}

}  // namespace narae::cpu
