// SPDX-License-Identifier: Apache-2.0
// Direct convolution on channel blocks: any kernel, stride, dilation; groups of whole blocks; the first layer from a
// plain image.
#include "backend/cpu/conv_tactic.h"

namespace narae::cpu {
namespace {

class ConvDirectTactic final : public ConvTactic {
 public:
  using ConvTactic::ConvTactic;
  const char* name() const override { return "conv_direct"; }

 protected:
  bool takes_plain_input() const override { return true; }
  bool takes(const ConvConfig& config) const override { return config.algorithm == ConvAlgorithm::direct; }
};

}  // namespace

std::unique_ptr<Tactic> make_conv_direct_tactic(const CpuLevel& level) {
  return std::make_unique<ConvDirectTactic>(level);
}

}  // namespace narae::cpu
