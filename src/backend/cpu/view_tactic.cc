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
  Numerics numerics() const override { return {true, true, true}; }
  void propose(const Node& node, const NodeDims& dims, const Target& target, std::vector<Choice>& out) const override {
    if (!node.op().has(op_view)) return;
    out.push_back(plain_choice(this, node));
    const Dims &x = dims.inputs[0], &y = dims.outputs[0];
    if (target.channel_block <= 1 || dtype_size(node.input(0)->dtype()) != 4 || x.size() < 2 || x[1] <= 1) return;
    const auto offer = [&](const Layout& result) {
      out.push_back(plain_choice(this, node));
      out.back().inputs[0] = Layout::blocked(1, target.channel_block);
      out.back().outputs[0] = result;
    };
    // Images of one pixel in whole blocks lie as if plain; where images and channels stay, blocks stay.
    if (element_count(x) == x[0] * x[1] && x[1] % target.channel_block == 0) offer(Layout::plain());
    if (y.size() >= 2 && x[0] == y[0] && x[1] == y[1]) offer(Layout::blocked(1, target.channel_block));
  }
  double estimate(const Node&, const Choice&, const NodeDims&, const Target&) const override { return 0; }
  void aliases(const Node&, const Choice&, const NodeDims&, std::vector<Alias>& out) const override {
    out.push_back({0, 0, false, 0});
  }
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice& choice, const NodeDims& dims,
                                     Device&) const override {
    const size_t bytes =
        static_cast<size_t>(choice.inputs[0].stored_count(dims.inputs[0])) * dtype_size(node.input(0)->dtype());
    return std::make_unique<ViewKernel>(level_.threads, bytes);
  }

 private:
  CpuLevel level_;
};

}  // namespace

std::unique_ptr<Tactic> make_view_tactic(const CpuLevel& level) { return std::make_unique<ViewTactic>(level); }

}  // namespace narae::cpu
