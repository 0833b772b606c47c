// SPDX-License-Identifier: Apache-2.0
// The checking device's one tactic: any node by its reference, plain or on channel blocks of four, with constants
// packed or not.
#pragma once

#include "backend/tactic.h"

namespace narae::fake {

inline constexpr int channel_block = 4;

class FakeTactic final : public Tactic {
 public:
  const char* name() const override { return "fake"; }
  void propose(const Node& node, const NodeDims& dims, const Target& target, std::vector<Choice>& out) const override;
  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override;
  void aliases(const Node& node, const Choice& choice, const NodeDims& dims, std::vector<Alias>& out) const override;
  Tensor pack(const Node& node, const Choice& choice, size_t input, const Tensor& constant,
              const Target& target) const override;
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice& choice, const NodeDims& dims,
                                     Device& device) const override;
};

// Throws Error internal naming `what` where a padding lane is not zero. Device memory, while the device runs.
void check_padding(DType dtype, const Dims& dims, const Layout& layout, const void* data, std::string_view what);
std::unique_ptr<Kernel> make_fake_reformat(DType dtype, const Dims& dims, const Layout& from, const Layout& to);

}  // namespace narae::fake
