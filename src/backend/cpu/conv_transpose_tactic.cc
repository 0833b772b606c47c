// SPDX-License-Identifier: Apache-2.0
// Transposed convolution on channel blocks, as one stride-1 convolution per output phase.
#include "backend/cpu/conv_tactic.h"

namespace narae::cpu {
namespace {

class ConvTransposeTactic final : public ConvTactic {
 public:
  using ConvTactic::ConvTactic;
  const char* name() const override { return "conv_transpose"; }

 protected:
  const char* op() const override { return "conv_transpose"; }
  bool takes(const ConvConfig&) const override { return true; }
};

}  // namespace

std::unique_ptr<Tactic> make_conv_transpose_tactic(const CpuLevel& level) {
  return std::make_unique<ConvTransposeTactic>(level);
}

}  // namespace narae::cpu
