// SPDX-License-Identifier: Apache-2.0
// reshape and other views: the result lies in the operand, for nothing, wherever the planner can arrange it.
#include <cstring>

#include "backend/cpu/cpu_kernel.h"
#include "backend/cpu/tactics.h"

namespace narae::cpu {
namespace {

class ViewKernel final : public CpuKernel {
 public:
  ViewKernel(int threads, size_t bytes) : CpuKernel(threads), bytes_(bytes) {}

 protected:
  int64_t tasks() const override { return 1; }
  void run(std::span<void* const> operands, void*, void*, int64_t, int64_t) const override {
    if (bytes_ && operands[0] != operands[1]) std::memcpy(operands[1], operands[0], bytes_);
  }

 private:
  size_t bytes_;
};

class ViewTactic final : public Tactic {
 public:
  explicit ViewTactic(CpuLevel level) : level_(std::move(level)) {}
  const char* name() const override { return "view"; }
  void propose(const Node& node, const NodeDims&, const Target&, std::vector<Choice>& out) const override {
    if (node.op().has(op_view)) out.push_back(plain_choice(this, node));
  }
  double estimate(const Node&, const Choice&, const NodeDims&, const Target&) const override { return 0; }
  void aliases(const Node&, const Choice&, const NodeDims&, std::vector<Alias>& out) const override {
    out.push_back({0, 0, false, 0});
  }
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice&, const NodeDims& dims, Device&) const override {
    const size_t bytes = static_cast<size_t>(element_count(dims.inputs[0])) * dtype_size(node.input(0)->dtype());
    return std::make_unique<ViewKernel>(level_.threads, bytes);
  }

 private:
  CpuLevel level_;
};

}  // namespace

std::unique_ptr<Tactic> make_view_tactic(const CpuLevel& level) { return std::make_unique<ViewTactic>(level); }

}  // namespace narae::cpu
