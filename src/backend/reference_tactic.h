// SPDX-License-Identifier: Apache-2.0
// Covers every node by the reference of its op, on plain host memory; the last tactic of every backend's list.
#pragma once

#include "backend/tactic.h"

namespace narae {

class ReferenceTactic final : public Tactic {
 public:
  const char* name() const override { return "reference"; }
  bool is_reference() const override { return true; }
  void propose(const Node& node, const NodeDims& dims, const Target& target, std::vector<Choice>& out) const override;
  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override;
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice& choice, const NodeDims& dims,
                                     Device& device) const override;
};

// A node with everything its reference needs, runnable on host pointers; shared by the backends' reference kernels.
class BoundReference {
 public:
  BoundReference(const Node& node, const NodeDims& dims);
  // Pointers in the order inputs, outputs; plain layouts.
  void run(std::span<void* const> operands) const;

 private:
  const Node& node_;
  std::vector<Dims> dims_;  // inputs, then outputs
  SymbolValues symbols_;
};

// What a backend whose buffers the host can use launches for a BoundReference: host(function) runs it in stream order.
class HostStream : public Stream {
 public:
  virtual void host(std::function<void()> work) = 0;
};

}  // namespace narae
