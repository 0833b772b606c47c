// SPDX-License-Identifier: Apache-2.0
// reshape and other views: the result lies in the operand, for nothing, wherever the planner can arrange it.
#include "backend/cuda/tactics.h"

namespace narae::cuda {
namespace {

class ViewKernel final : public Kernel {
 public:
  explicit ViewKernel(size_t bytes) : bytes_(bytes) {}
  void launch(Stream& stream, std::span<void* const> operands, void*) const override {
    if (operands.front() != operands.back()) stream.copy(operands.back(), operands.front(), bytes_);
  }

 private:
  size_t bytes_;
};

class ViewTactic final : public Tactic {
 public:
  const char* name() const override { return "view"; }
  Numerics numerics() const override { return {true, true, true}; }
  void propose(const Node& node, const NodeDims& dims, const Target&, std::vector<Choice>& out) const override {
    if (!node.op().has(op_view)) return;
    out.push_back(plain_choice(this, node));
    // Pictures of one pixel lie the same with channels last.
    const Dims& x = dims.inputs[0];
    if (x.size() < 3 || x[1] <= 1 || element_count(x) != x[0] * x[1]) return;
    out.push_back(plain_choice(this, node));
    out.back().inputs[0] = Layout::blocked(1, static_cast<int>(x[1]));
  }
  double estimate(const Node&, const Choice&, const NodeDims&, const Target&) const override { return 0; }
  void aliases(const Node&, const Choice&, const NodeDims&, std::vector<Alias>& out) const override {
    out.push_back({0, 0, false, 0});
  }
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice&, const NodeDims& dims, Device&) const override {
    const auto count = static_cast<size_t>(element_count(dims.inputs[0]));
    return std::make_unique<ViewKernel>(count * dtype_size(node.input(0)->dtype()));
  }
};

}  // namespace

std::unique_ptr<Tactic> make_view_tactic(const CudaLevel&) { return std::make_unique<ViewTactic>(); }

}  // namespace narae::cuda
