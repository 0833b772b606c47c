// SPDX-License-Identifier: Apache-2.0
// rope, row by row; in place where nobody reads the operand afterwards.
#include "backend/cpu/cost.h"
#include "backend/cpu/cpu_kernel.h"
#include "backend/cpu/tactics.h"
#include "kernels/cpu/rope.h"
#include "ops/rope.h"

namespace narae::cpu {
namespace {

class RowsTurned final : public CpuKernel {
 public:
  RowsTurned(int threads, RopeKernel kernel, const RopeArgs& args, int64_t rows)
      : CpuKernel(threads), kernel_(kernel), args_(args), rows_(rows) {}

 protected:
  int64_t tasks() const override { return rows_; }
  size_t scratch_bytes() const override { return rope_scratch(args_); }
  void run(std::span<void* const> operands, void* scratch, void*, int64_t begin, int64_t end) const override {
    RopeArgs args = args_;
    args.x = static_cast<const float*>(operands[0]), args.positions = static_cast<const int32_t*>(operands[1]);
    args.frequencies = static_cast<const float*>(operands[2]), args.y = static_cast<float*>(operands[3]);
    kernel_(args, scratch, begin, end);
  }

 private:
  RopeKernel kernel_;
  RopeArgs args_;
  int64_t rows_;
};

class RopeTactic final : public Tactic {
 public:
  explicit RopeTactic(CpuLevel level) : level_(std::move(level)), kernel_(rope_kernel(level_.isa)) {}
  const char* name() const override { return "rope"; }
  Numerics numerics() const override { return {true, true, true}; }

  void propose(const Node& node, const NodeDims& dims, const Target&, std::vector<Choice>& out) const override {
    if (!node.is("rope") || node.output()->dtype() != DType::f32 || 2 * dims.inputs[2][0] > dims.inputs[0][2]) return;
    out.push_back(plain_choice(this, node));
    out.back().in_place = {0};
  }
  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    return roofline(target, 6 * static_cast<double>(element_count(dims.inputs[0])), 0.1,
                    node_bytes(node, choice, dims));
  }
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice&, const NodeDims& dims, Device&) const override {
    const Dims& x = dims.inputs[0];
    require_covered(2 * dims.inputs[2][0] <= x[2], node);
    RopeArgs args;
    args.heads = x[1], args.width = x[2], args.pairs = dims.inputs[2][0];
    args.interleaved = node.attributes<RopeAttributes>().interleaved;
    args.scale = static_cast<float>(node.attributes<RopeAttributes>().scale);
    return std::make_unique<RowsTurned>(level_.threads, kernel_, args, x[0]);
  }

 private:
  CpuLevel level_;
  RopeKernel kernel_;
};

}  // namespace

std::unique_ptr<Tactic> make_rope_tactic(const CpuLevel& level) { return std::make_unique<RopeTactic>(level); }

}  // namespace narae::cpu
