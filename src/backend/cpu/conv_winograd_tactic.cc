// SPDX-License-Identifier: Apache-2.0
// Winograd 3x3: fewer multiplications, more traffic and a larger error (winograd.h states it).
#include "backend/cpu/conv_tactic.h"

namespace narae::cpu {
namespace {

class ConvWinogradTactic final : public ConvTactic {
 public:
  using ConvTactic::ConvTactic;
  const char* name() const override { return "conv_winograd"; }

 protected:
  bool takes(const ConvConfig& config) const override {
    return config.algorithm == ConvAlgorithm::winograd2x2 || config.algorithm == ConvAlgorithm::winograd4x4;
  }
};

}  // namespace

std::unique_ptr<Tactic> make_conv_winograd_tactic(const CpuLevel& level) {
  return std::make_unique<ConvWinogradTactic>(level);
}

}  // namespace narae::cpu
