// SPDX-License-Identifier: Apache-2.0
// Direct convolution on channel blocks: any kernel, stride, dilation; groups of whole blocks; the first layer from a
// plain image.
#include <algorithm>

#include "backend/cpu/conv_tactic.h"

namespace narae::cpu {
namespace {

class ConvDirectTactic final : public ConvTactic {
 public:
  using ConvTactic::ConvTactic;
  const char* name() const override { return "conv_direct"; }

 protected:
  bool takes_plain_input() const override { return true; }
  bool takes(const ConvShape&, const ConvConfig& config) const override {
    return config.algorithm == ConvAlgorithm::direct;
  }
  Cost cost(const ConvProblem& problem, const ConvConfig&) const override {
    const ConvShape& shape = problem.shape;
    Cost cost;
    // A plain image gives short runs; narrow rows and strides leave the tiles low.
    cost.efficiency = shape.plain_input ? 0.4 : shape.ow < 8 ? 0.6 : 0.75;
    return cost;
  }
};

}  // namespace

std::unique_ptr<Tactic> make_conv_direct_tactic(const CpuLevel& level) {
  return std::make_unique<ConvDirectTactic>(level);
}

}  // namespace narae::cpu
