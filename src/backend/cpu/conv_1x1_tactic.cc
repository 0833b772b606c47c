// SPDX-License-Identifier: Apache-2.0
// 1x1 convolution, stride 1, on channel blocks: a GEMM over the pixels of an image.
#include "backend/cpu/conv_tactic.h"

namespace narae::cpu {
namespace {

class Conv1x1Tactic final : public ConvTactic {
 public:
  using ConvTactic::ConvTactic;
  const char* name() const override { return "conv_1x1"; }

 protected:
  bool takes(const ConvConfig& config) const override { return config.algorithm == ConvAlgorithm::pointwise; }
};

}  // namespace

std::unique_ptr<Tactic> make_conv_1x1_tactic(const CpuLevel& level) { return std::make_unique<Conv1x1Tactic>(level); }

}  // namespace narae::cpu
